package dev.holdfast.protocol.acme;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Optional;

/// How control of an identifier is shown, and what is to be shown.
public enum ChallengeType {
    /// RFC 8555 section 8.3.
    HTTP_01("http-01"),
    /// Section 8.4.
    DNS_01("dns-01"),
    /// draft-ietf-acme-device-attest section 5.
    DEVICE_ATTEST_01("device-attest-01");

    private final String text;

    ChallengeType(String text) {
        this.text = text;
    }

    public String text() {
        return text;
    }

    public static Optional<ChallengeType> parse(String text) {
        for (ChallengeType type : values()) {
            if (type.text.equals(text)) {
                return Optional.of(type);
            }
        }
        return Optional.empty();
    }

    /// Section 8.1: what only the holder of the account's key can say for this token.
    ///
    /// @param thumbprint of the account's key
    public static String keyAuthorization(String token, String thumbprint) {
        return token + "." + thumbprint;
    }

    /// The SHA-256 of a key authorization: in DNS as base64url, in an attestation as it is.
    public static byte[] digest(String keyAuthorization) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(keyAuthorization.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("SHA-256 is missing from this Java platform", e);
        }
    }

    /// The TXT record's value of dns-01.
    public static String dnsValue(String keyAuthorization) {
        return AcmeText.encode(digest(keyAuthorization));
    }
}
