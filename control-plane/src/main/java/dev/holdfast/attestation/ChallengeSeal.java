package dev.holdfast.attestation;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.core.DeviceId;
import dev.holdfast.core.Json;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/// Gives challenges to devices to keep, so that a stranger who asks for many leaves nothing behind, and any
/// node can take the answer. Sealed with a key that is derived from the installation's secret.
final class ChallengeSeal {
    static final int MOST_CHARACTERS = 24_000;
    private final SecretKeySpec key;

    /// @param installation 32 octets, the same on every node
    ChallengeSeal(byte[] installation) {
        this.key = new SecretKeySpec(
                mac(
                        new SecretKeySpec(installation, "HmacSHA256"),
                        "holdfast attestation challenge v1".getBytes(StandardCharsets.US_ASCII)),
                "HmacSHA256");
    }

    /// `base64url(JSON).base64url(HMAC)`
    String seal(Challenge challenge) {
        Map<String, Object> fields = new TreeMap<>();
        fields.put("purpose", challenge.purpose().name());
        fields.put("device", challenge.device().value());
        challenge.profile().ifPresent(profile -> fields.put("profile", profile));
        fields.put("nonce", challenge.nonce());
        fields.put("expires", challenge.expiresAt().getEpochSecond());
        fields.put("endorsement", challenge.endorsement());
        fields.put("attestation", challenge.attestation());
        fields.put("certificates", challenge.certificates());
        byte[] body = Json.bytes(fields);
        Base64.Encoder base64 = Base64.getUrlEncoder().withoutPadding();
        return base64.encodeToString(body) + "." + base64.encodeToString(mac(key, body));
    }

    /// The challenge, or empty when we did not seal it.
    Optional<Challenge> open(String sealed) {
        int dot = sealed.indexOf('.');
        if (dot < 0 || sealed.length() > MOST_CHARACTERS) {
            return Optional.empty();
        }
        try {
            byte[] body = Base64.getUrlDecoder().decode(sealed.substring(0, dot));
            byte[] seal = Base64.getUrlDecoder().decode(sealed.substring(dot + 1));
            if (!MessageDigest.isEqual(seal, mac(key, body))) {
                return Optional.empty();
            }
            JsonNode json = Json.tree(new String(body, StandardCharsets.UTF_8));
            List<String> certificates = new ArrayList<>();
            json.path("certificates").forEach(each -> certificates.add(each.asText()));
            return Optional.of(new Challenge(
                    Challenge.Purpose.valueOf(json.path("purpose").asText()),
                    new DeviceId(json.path("device").asText()),
                    json.hasNonNull("profile")
                            ? Optional.of(json.path("profile").asText())
                            : Optional.empty(),
                    json.path("nonce").asText(),
                    Instant.ofEpochSecond(json.path("expires").asLong()),
                    json.path("endorsement").asText(),
                    json.path("attestation").asText(),
                    certificates));
        } catch (IllegalArgumentException | JsonProcessingException notOurs) {
            return Optional.empty();
        }
    }

    /// What the device must recover for this nonce.
    byte[] credential(String nonce) {
        return mac(key, ("credential " + nonce).getBytes(StandardCharsets.US_ASCII));
    }

    private static byte[] mac(SecretKeySpec key, byte[] message) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(key);
            return mac.doFinal(message);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("HMAC is missing from this Java platform", e);
        }
    }

    static String hex(byte[] octets) {
        return HexFormat.of().formatHex(octets);
    }
}
