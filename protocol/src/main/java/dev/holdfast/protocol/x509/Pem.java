package dev.holdfast.protocol.x509;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The textual encoding of RFC 7468.
public final class Pem {
    public static final String CERTIFICATE = "CERTIFICATE";
    public static final String CERTIFICATE_REQUEST = "CERTIFICATE REQUEST";
    public static final String PRIVATE_KEY = "PRIVATE KEY";
    private static final int MOST_TEXT = 1_000_000;
    private static final Base64.Encoder BASE64 = Base64.getMimeEncoder(64, "\n".getBytes(StandardCharsets.US_ASCII));
    private static final Pattern BLOCK =
            Pattern.compile("-----BEGIN ([A-Z0-9 ]{1,40})-----([A-Za-z0-9+/=\\s]*+)-----END \\1-----");

    private Pem() {}

    public static String encode(String label, byte[] der) {
        return "-----BEGIN " + label + "-----\n" + BASE64.encodeToString(der) + "\n-----END " + label + "-----\n";
    }

    /// Every block with this label, in order; text around the blocks is ignored, as RFC 7468 section 2 allows.
    ///
    /// @throws X509FormatException when a block is not base64 or the text is longer than a megabyte
    public static List<byte[]> decode(String label, String text) throws X509FormatException {
        if (text.length() > MOST_TEXT) {
            throw new X509FormatException("PEM text longer than " + MOST_TEXT + " characters");
        }
        List<byte[]> found = new ArrayList<>();
        Matcher block = BLOCK.matcher(text);
        while (block.find()) {
            if (block.group(1).equals(label)) {
                try {
                    found.add(Base64.getDecoder().decode(block.group(2).replaceAll("\\s", "")));
                } catch (IllegalArgumentException e) {
                    throw new X509FormatException("a PEM block is not base64", e);
                }
            }
        }
        return found;
    }
}
