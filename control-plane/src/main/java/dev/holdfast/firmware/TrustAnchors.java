package dev.holdfast.firmware;

import dev.holdfast.core.Digest;
import dev.holdfast.protocol.manifest.SignedManifest;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.cert.CertificateEncodingException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.X509EncodedKeySpec;
import java.util.Base64;

/// Reads the PEM of trust anchors.
final class TrustAnchors {
    private static final int MOST = 16_384;

    private TrustAnchors() {}

    /// @throws IllegalArgumentException saying what the PEM should be
    static String id(SigningKey.Kind kind, String pem) {
        return switch (kind) {
            case MANIFEST -> SignedManifest.keyId(publicKey(pem));
            case SWU -> id(certificate(pem));
        };
    }

    static String id(X509Certificate certificate) {
        try {
            return Digest.of(certificate.getEncoded()).hex();
        } catch (CertificateEncodingException e) {
            throw new IllegalArgumentException("a certificate that can't be encoded", e);
        }
    }

    static PublicKey publicKey(String pem) {
        try {
            byte[] der = der(pem, "PUBLIC KEY");
            PublicKey key = KeyFactory.getInstance("EC").generatePublic(new X509EncodedKeySpec(der));
            if (key instanceof ECPublicKey ec && ec.getParams().getOrder().bitLength() == 256) {
                return key;
            }
        } catch (GeneralSecurityException e) {
            throw new IllegalArgumentException("not a PEM public key on the curve P-256", e);
        }
        throw new IllegalArgumentException("not a PEM public key on the curve P-256");
    }

    static X509Certificate certificate(String pem) {
        try {
            X509Certificate certificate = (X509Certificate) CertificateFactory.getInstance("X.509")
                    .generateCertificate(new ByteArrayInputStream(der(pem, "CERTIFICATE")));
            boolean strong = switch (certificate.getPublicKey()) {
                case RSAPublicKey rsa -> rsa.getModulus().bitLength() >= 2048;
                case ECPublicKey ec -> ec.getParams().getOrder().bitLength() >= 256;
                case PublicKey _ -> false;
            };
            if (!strong) {
                throw new IllegalArgumentException("the certificate's key is weak: RSA from 2048 or EC from 256 bits");
            }
            return certificate;
        } catch (CertificateException e) {
            throw new IllegalArgumentException("not a PEM certificate", e);
        }
    }

    private static byte[] der(String pem, String label) {
        String begin = "-----BEGIN " + label + "-----";
        String end = "-----END " + label + "-----";
        int from = pem.indexOf(begin);
        int to = pem.indexOf(end);
        if (pem.length() > MOST || from < 0 || to < from) {
            throw new IllegalArgumentException("not a PEM " + label);
        }
        try {
            return Base64.getMimeDecoder()
                    .decode(pem.substring(from + begin.length(), to).getBytes(StandardCharsets.US_ASCII));
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("not a PEM " + label, e);
        }
    }
}
