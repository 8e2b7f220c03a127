"""Our DTLS certificate, and the ciphers that we accept."""

from aiortc import RTCCertificate
from aiortc.rtcdtlstransport import SRTPProtectionProfile
from OpenSSL import SSL

CIPHERS = (
    b"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-SHA:"
    b"ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-CHACHA20-POLY1305"
)
"""aiortc's four and, for peers with an RSA certificate (GStreamer), the two AEAD ones with RSA. As
the DTLS client we propose the ciphers: a peer that can use none of them cannot connect."""


class Certificate(RTCCertificate):
    """DTLS certificate: ECDSA on P-256, like those of browsers. `generateCertificate` makes one."""

    def _create_ssl_context(self, srtp_profiles: list[SRTPProtectionProfile]) -> SSL.Context:
        context = super()._create_ssl_context(srtp_profiles)
        context.set_cipher_list(CIPHERS)
        return context
