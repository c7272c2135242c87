package dev.holdfast.protocol.est;

import java.nio.charset.StandardCharsets;

/// The answer to a request for a key (RFC 7030 section 4.4.2): two parts, first the private key, then its
/// certificate, each in base64.
public final class ServerKeyAnswer {
    /// Base64 has no hyphen, so no part can have it.
    private static final String BOUNDARY = "holdfast-server-key-answer";

    public static final String CONTENT_TYPE = "multipart/mixed; boundary=" + BOUNDARY;

    private ServerKeyAnswer() {}

    /// A key that nothing but TLS protects: PKCS #8, DER.
    public static byte[] plain(byte[] pkcs8, byte[] certificates) {
        return encode("application/pkcs8", pkcs8, certificates);
    }

    /// @param enveloped a CMS EnvelopedData that only the device can open
    public static byte[] encrypted(byte[] enveloped, byte[] certificates) {
        return encode("application/pkcs7-mime; smime-type=server-generated-key", enveloped, certificates);
    }

    private static byte[] encode(String type, byte[] key, byte[] certificates) {
        return ("--" + BOUNDARY + "\r\n"
                        + "Content-Type: " + type + "\r\n"
                        + "Content-Transfer-Encoding: base64\r\n\r\n"
                        + text(key) + "\r\n--" + BOUNDARY + "\r\n"
                        + "Content-Type: application/pkcs7-mime; smime-type=certs-only\r\n"
                        + "Content-Transfer-Encoding: base64\r\n\r\n"
                        + text(certificates) + "\r\n--" + BOUNDARY + "--\r\n")
                .getBytes(StandardCharsets.US_ASCII);
    }

    private static String text(byte[] der) {
        return new String(EstBody.encode(der), StandardCharsets.US_ASCII);
    }
}
