package dev.holdfast.protocol.est;

import java.nio.charset.StandardCharsets;
import java.util.Base64;

/// The base64 bodies of EST (RFC 7030 section 4, with RFC 8951 section 3).
public final class EstBody {
    private EstBody() {}

    /// In one line without an end, as RFC 8951 section 3.1 has it; strongSwan reads no other.
    public static byte[] encode(byte[] der) {
        return Base64.getEncoder().encode(der);
    }

    /// Reads what clients send: wrapped or one line, any line ends (RFC 8951 section 3.1: white space is ignored),
    /// and nothing else. A PEM text is also taken, because copy-and-paste produces it.
    ///
    /// @throws EstFormatException when it is not base64
    public static byte[] decode(byte[] body) throws EstFormatException {
        String text = new String(body, StandardCharsets.US_ASCII);
        if (text.startsWith("-----BEGIN ")) {
            int begin = text.indexOf("-----", "-----BEGIN ".length());
            int end = text.indexOf("-----END ");
            if (begin < 0 || end < begin + 5) {
                throw new EstFormatException("the PEM block has no end");
            }
            text = text.substring(begin + 5, end);
        }
        StringBuilder plain = new StringBuilder(text.length());
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c != '\r' && c != '\n' && c != ' ' && c != '\t') {
                plain.append(c);
            }
        }
        try {
            byte[] der = Base64.getDecoder().decode(plain.toString());
            if (der.length == 0) {
                throw new EstFormatException("the body is empty");
            }
            return der;
        } catch (IllegalArgumentException e) {
            throw new EstFormatException("the body is not base64", e);
        }
    }
}
