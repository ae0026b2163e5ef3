"""Looking for attacks in requests, by score."""

from .exclusion import Exclusion
from .finding import INSPECTION, Finding, Inspection
from .forms import Form
from .inspect import Inspect
from .pack import Pack
from .signature import Signature
from .subject import Check, Subject
from .value import Part, Value

__all__ = [
    "INSPECTION",
    "Check",
    "Exclusion",
    "Finding",
    "Form",
    "Inspect",
    "Inspection",
    "Pack",
    "Part",
    "Signature",
    "Subject",
    "Value",
]
