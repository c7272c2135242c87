package dev.holdfast.protocol.x509;

import java.security.KeyPair;
import java.util.Optional;
import org.bouncycastle.asn1.pkcs.CertificationRequestInfo;
import org.bouncycastle.asn1.x500.style.BCStyle;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;

/// A request for a certificate and the key to go with it (RFC 7030 section 4.4): PKCS #10, whose key and
/// signature don't count (section 4.4.1), so this is no [CertificationRequest] until a key has been made for
/// it.
public final class ServerKeyRequest {
    private static final int MOST_OCTETS = 16 * 1024;
    private final byte[] der;
    private final CertificationRequestInfo info;
    private final RequestAttributes attributes;

    private ServerKeyRequest(byte[] der, CertificationRequestInfo info, RequestAttributes attributes) {
        this.der = der;
        this.info = info;
        this.attributes = attributes;
    }

    /// @throws CertificationRequestException when it can't be read, or says what no request may say
    public static ServerKeyRequest read(byte[] der) throws CertificationRequestException {
        if (der.length == 0 || der.length > MOST_OCTETS) {
            throw malformed("a request of " + der.length + " octets is not accepted", null);
        }
        try {
            CertificationRequestInfo info = CertificationRequest.parse(der).getCertificationRequestInfo();
            RequestedExtensions.requirePlain(info.getSubject());
            return new ServerKeyRequest(der.clone(), info, RequestAttributes.read(info));
        } catch (java.io.IOException | RuntimeException e) {
            throw malformed("not a PKCS #10 request", e);
        }
    }

    /// Whom a request of any sort names, before anything of it is verified; empty where it names nobody or
    /// can't be read.
    public static Optional<String> unprovenName(byte[] der) {
        try {
            return Certificates.attribute(read(der).info.getSubject(), BCStyle.CN);
        } catch (CertificationRequestException e) {
            return Optional.empty();
        }
    }

    private static CertificationRequestException malformed(
            String why, @org.jspecify.annotations.Nullable Exception cause) {
        return new CertificationRequestException(CertificationRequestException.Reason.MALFORMED, why, cause);
    }

    /// The key it was asked with: only its kind says something, which is the kind of key that is wished for.
    public SubjectPublicKeyInfo askedWith() {
        return info.getSubjectPublicKeyInfo();
    }

    /// The kind of key that it was asked with; empty for one that is not issued here.
    public Optional<KeyKind> kind() {
        try {
            return Optional.of(KeyKind.of(CertificationRequest.key(info.getSubjectPublicKeyInfo())))
                    .filter(KeyKind::isIssuable);
        } catch (CertificationRequestException | java.io.IOException | RuntimeException e) {
            return Optional.empty(); // it need not even be a key
        }
    }

    /// By which secret that both sides know the private key is to be encrypted (section 4.4.1.1).
    public Optional<byte[]> symmetricKeyId() {
        return attributes.symmetricKey();
    }

    /// By which public key the private key is to be encrypted (section 4.4.1.2).
    public Optional<byte[]> asymmetricKeyId() {
        return attributes.asymmetricKey();
    }

    /// The request, for this key that was made for it.
    public CertificationRequest with(KeyPair made) throws CertificationRequestException {
        return CertificationRequest.withServerKey(info, der, attributes, made.getPublic());
    }
}
