"""What the metadata services of clouds say to the machines in them, and to nobody else (CWE-918, CWE-522)."""

from __future__ import annotations

from ....security_log import Severity
from ..form import START
from ..pack import LeakPack
from ..signature import LeakSignature

__all__ = ["CLOUD_METADATA"]

_CRITICAL = Severity.CRITICAL
_GUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"

CLOUD_METADATA = LeakPack(
    "cloud-metadata",
    (
        LeakSignature(
            "cloud-metadata-01",
            r"\"type\" ?: ?\"aws-hmac\"|\"accesskeyid\" ?: ?\"(?:asia"
            r"|akia)[a-z0-9]{16}\", ?\"secretaccesskey\" ?: ?\""
            r"|\"rolearn\" ?: ?\"arn:aws[a-z-]{0,10}+:iam::\d{12}:[^\"]{1,100}+\", ?\"accesskeyid\"",
            "credentials of a role of AWS",
            severity=_CRITICAL,
        ),
        LeakSignature(
            "cloud-metadata-02",
            r"ami-id ami-launch-index ami-manifest-path|\"instanceid\" ?: ?\"i-[0-9a-f]{8,17}+\", ?\"(?:instancetype"
            r"|kernelid|marketplaceproductcodes|pendingtime|privateip)\""
            r"|\"(?:accountid|architecture|availabilityzone|billingproducts"
            r"|devpayproductcodes)\" ?+: ?+[^{}]{1,300}?\"imageid\" ?+: ?+\"ami-[0-9a-f]",
            "an instance's metadata of AWS",
            severity=_CRITICAL,
        ),
        LeakSignature(
            "cloud-metadata-03",
            r"\"access_token\" ?: ?\"ya29\.[\w.-]{20}|\"serviceaccounts\" ?: ?\{ ?\"(?:default"
            r"|[\w.-]{1,60}+@[\w.-]{1,80}?gserviceaccount)|attributes/ cpu-platform description disks/"
            r"|instance/ oslogin/ project/",
            "metadata or a token of Google Cloud",
            severity=_CRITICAL,
        ),
        LeakSignature(
            "cloud-metadata-04",
            r"\"azenvironment\" ?: ?\"azure[a-z]{0,30}cloud\""
            r"|\"client_id\" ?: ?\"" + _GUID + r"\", ?\"expires_in\" ?: ?\"?\d{1,6}+\"?, ?\"(?:expires_on"
            r"|ext_expires_in)\""
            r"|\"resource\" ?: ?\"https://(?:management|vault|storage|graph)\.(?:azure|microsoft"
            r"|windows)[^\"]{1,40}+\", ?\"token_type\"",
            "metadata or a token of Azure",
            severity=_CRITICAL,
        ),
        LeakSignature(
            "cloud-metadata-05",
            r"/var/run/secrets/kubernetes\.io/serviceaccount|\"kubernetes\.io/serviceaccount/(?:namespace"
            r"|secret\.name|service-account)|\"kind\" ?: ?\"(?:secret|configmap|pod|node"
            r"|serviceaccount)(?:list)?+\", ?\""
            r"(?:apiversion|metadata)\" ?:|\"apiversion\" ?: ?\"v1\", ?\"kind\" ?: ?\"(?:secret|pod)(?:list)?+\"",
            "objects or a service account of Kubernetes",
        ),
        LeakSignature(
            "cloud-metadata-06",
            r"\"droplet_id\" ?: ?\d{4,12}+, ?\"|\"accesskeysecret\" ?: ?\"[a-z0-9]{20}|\"(?:ram-role"
            r"|tmpsecretid)\" ?: ?\"|\"canonicalregionname\" ?: ?\"|\"ociadname\" ?: ?\"",
            "an instance's metadata of another cloud",
            severity=_CRITICAL,
        ),
        LeakSignature(
            "cloud-metadata-07",
            rf"{START} ?(?:#cloud-config |content-type: multipart/mixed; boundary=\"[^\"]{{1,60}}+\" mime-version:"
            rf" 1\.0 )",
            "the user data of an instance",
        ),
        LeakSignature(
            "cloud-metadata-08",
            r"\"type\" ?: ?\"service_account\", ?\"project_id\" ?: ?\"[^\"]{1,60}+\", ?\"private_key_id\""
            r"|\"aws_container_credentials_relative_uri\"|aws_session_token=[a-z0-9+/=]{40}"
            r"|\"azure_client_secret\" ?: ?\"",
            "the keys of an account in a cloud",
            severity=_CRITICAL,
        ),
    ),
)
