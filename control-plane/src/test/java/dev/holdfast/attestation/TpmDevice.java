package dev.holdfast.attestation;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.protocol.x509.CertificationRequest;
import dev.holdfast.testkit.MeasuredBoot;
import dev.holdfast.testkit.SoftTpm;
import dev.holdfast.testkit.SoftTpm.Life;
import dev.holdfast.testkit.SoftTpm.TpmKey;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/// A device whose TPM says what the test wants it to say.
final class TpmDevice {
    final DeviceRef ref;
    TpmKey endorsement = SoftTpm.ec(SoftTpm.EK);
    TpmKey attestation = SoftTpm.ec(SoftTpm.AK);
    TpmKey key = SoftTpm.ec(SoftTpm.DEVICE);
    Life life = Life.FIRST;
    byte[] registers = new byte[8 * 32];
    List<Integer> quoted = List.of(0, 1, 2, 3, 4, 5, 6, 7);
    String profile = "lab";

    TpmDevice(DeviceRef ref) {
        this.ref = ref;
    }

    String fingerprint() {
        return Endorsements.fingerprint(endorsement.pair().getPublic().getEncoded());
    }

    /// What the firmware measured, PCR by PCR.
    TpmDevice boots(MeasuredBoot boot) {
        registers = boot.registers();
        return this;
    }

    /// What the firmware measured into PCR 0.
    TpmDevice boots(String firmware) {
        byte[] digest = SoftTpm.sha256(firmware.getBytes(java.nio.charset.StandardCharsets.UTF_8));
        System.arraycopy(digest, 0, registers, 0, 32);
        return this;
    }

    Map<String, String> values() {
        Map<String, String> values = new TreeMap<>();
        for (int register : new TreeSet<>(quoted)) {
            values.put("sha256:" + register, HexFormat.of().formatHex(registers, register * 32, register * 32 + 32));
        }
        return values;
    }

    Map<String, Object> challenge() {
        return new TreeMap<>(Map.of(
                "device", ref.id().value(),
                "profile", profile,
                "ekPublic", base64(endorsement.sized()),
                "akPublic", base64(attestation.sized())));
    }

    Map<String, Object> answer(JsonNode asked) {
        byte[] nonce = HexFormat.of().parseHex(asked.path("nonce").asText());
        byte[] certification = SoftTpm.certify(attestation, key, new byte[] {0, 1}, life);
        Map<String, Object> answer =
                new TreeMap<>(quote(asked, SoftTpm.quote(attestation, quoted, quotedValues(), nonce, life)));
        answer.put(
                "activated",
                base64(SoftTpm.activate(
                        endorsement, attestation.name(), octets(asked, "credentialBlob"), octets(asked, "secret"))));
        answer.put("csr", base64(CertificationRequest.create(ref.id().value(), key.pair())));
        answer.put("keyPublic", base64(key.sized()));
        signed(answer, "certifyInfo", "certifySignature", certification);
        return answer;
    }

    private byte[] quotedValues() {
        byte[] all = new byte[quoted.size() * 32];
        int at = 0;
        for (int register : new TreeSet<>(quoted)) {
            System.arraycopy(registers, register * 32, all, at, 32);
            at += 32;
        }
        return all;
    }

    Map<String, Object> quoteAgain(JsonNode asked) {
        byte[] nonce = HexFormat.of().parseHex(asked.path("nonce").asText());
        return quote(asked, SoftTpm.quote(attestation, quoted, quotedValues(), nonce, life));
    }

    private Map<String, Object> quote(JsonNode asked, byte[] quote) {
        Map<String, Object> fields = new TreeMap<>();
        fields.put("session", asked.path("session").asText());
        signed(fields, "quote", "quoteSignature", quote);
        fields.put("pcrValues", base64(quotedValues()));
        return fields;
    }

    /// Puts another statement in the place, signed by the attestation key all the same.
    void signed(Map<String, Object> into, String message, String signature, byte[] statement) {
        into.put(message, base64(statement));
        into.put(signature, base64(SoftTpm.sign(attestation, statement)));
    }

    static byte[] octets(JsonNode json, String field) {
        return Base64.getDecoder().decode(json.path(field).asText());
    }

    static String base64(byte[] octets) {
        return Base64.getEncoder().encodeToString(octets);
    }
}
