package dev.holdfast.attestation;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.core.DeviceId;
import dev.holdfast.core.Json;
import dev.holdfast.protocol.tpm.EventLog;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/// The messages of `/attest/v1/`, read strictly: JSON objects of texts, octets as base64. An unknown field
/// is refused.
final class AttestationMessages {
    private static final int MOST_LOG = EventLog.MOST_OCTETS / 3 * 4 + 4;
    private static final int MOST_OCTETS = 16_384;
    private static final int MOST_CERTIFICATES = 5;

    private AttestationMessages() {}

    /// `{"device":"meter-1","profile":"tpm","ekPublic":"...","ekCertificates":["..."],"akPublic":"..."}`
    static Attestation.Wish wish(byte[] body) throws MalformedEvidenceException {
        JsonNode json = object(body, Set.of("device", "profile", "ekPublic", "ekCertificates", "akPublic"));
        List<byte[]> certificates = new ArrayList<>();
        JsonNode array = json.path("ekCertificates");
        if (!array.isMissingNode() && (!array.isArray() || array.size() > MOST_CERTIFICATES)) {
            throw new MalformedEvidenceException("ekCertificates is a list of at most " + MOST_CERTIFICATES);
        }
        for (JsonNode each : array) {
            certificates.add(octets("ekCertificates", each));
        }
        Optional<String> profile = json.has("profile") ? Optional.of(text(json, "profile", 32)) : Optional.empty();
        return new Attestation.Wish(
                DeviceId.parse(text(json, "device", 64))
                        .orElseThrow(() -> new MalformedEvidenceException("device is not a device's id")),
                profile,
                octets("ekPublic", json.path("ekPublic")),
                certificates,
                octets("akPublic", json.path("akPublic")));
    }

    /// `{"session":"...","activated":"...","csr":"...","keyPublic":"...","certifyInfo":"...","certifySignature":"...",
    /// "quote":"...","quoteSignature":"...","pcrValues":"..."}`
    static Submission.Enrolment enrolment(byte[] body) throws MalformedEvidenceException {
        JsonNode json = object(
                body,
                Set.of(
                        "session",
                        "activated",
                        "csr",
                        "keyPublic",
                        "certifyInfo",
                        "certifySignature",
                        "quote",
                        "quoteSignature",
                        "pcrValues"));
        return new Submission.Enrolment(
                text(json, "session", ChallengeSeal.MOST_CHARACTERS),
                octets("activated", json.path("activated")),
                octets("csr", json.path("csr")),
                octets("keyPublic", json.path("keyPublic")),
                new Submission.Signed(
                        octets("certifyInfo", json.path("certifyInfo")),
                        octets("certifySignature", json.path("certifySignature"))),
                quoted(json));
    }

    /// `{"session":"...","quote":"...","quoteSignature":"...","pcrValues":"...","eventLog":"..."}`, the last
    /// where there is one.
    static Submission.Reattestation reattestation(byte[] body) throws MalformedEvidenceException {
        JsonNode json = object(body, Set.of("session", "quote", "quoteSignature", "pcrValues", "eventLog"));
        Optional<byte[]> log = json.has("eventLog")
                ? Optional.of(octets("eventLog", json.path("eventLog"), MOST_LOG))
                : Optional.empty();
        return new Submission.Reattestation(text(json, "session", ChallengeSeal.MOST_CHARACTERS), quoted(json), log);
    }

    private static Submission.Quoted quoted(JsonNode json) throws MalformedEvidenceException {
        return new Submission.Quoted(
                new Submission.Signed(
                        octets("quote", json.path("quote")), octets("quoteSignature", json.path("quoteSignature"))),
                octets("pcrValues", json.path("pcrValues")));
    }

    /// `{"session":"...","nonce":"hex","pcrs":"sha256:0,1","expiresAt":"...","credentialBlob":"...","secret":"..."}`
    static byte[] asked(Attestation.Asked asked) {
        Map<String, String> fields = new TreeMap<>(Map.of(
                "session", asked.session(),
                "nonce", asked.nonce(),
                "pcrs", asked.pcrs().selection().text(),
                "expiresAt",
                        asked.expiresAt()
                                .truncatedTo(java.time.temporal.ChronoUnit.SECONDS)
                                .toString()));
        asked.credential().ifPresent(credential -> {
            fields.put("credentialBlob", base64(credential.blob()));
            fields.put("secret", base64(credential.secret()));
        });
        return Json.bytes(fields);
    }

    /// `{"verdict":"passed","faults":[],"reference":"1.4.0"}`, with `differences` where registers are other
    /// than expected, and `eventLog` where one was sent: `replayed`, or why it is no evidence.
    static byte[] verdict(Verdict verdict) {
        Map<String, Object> fields = new TreeMap<>();
        fields.put("verdict", verdict.passed() ? "passed" : "failed");
        fields.put("faults", verdict.faults());
        verdict.reference().ifPresent(name -> fields.put("reference", name));
        verdict.eventLog().ifPresent(said -> fields.put("eventLog", said));
        if (!verdict.differences().isEmpty()) {
            fields.put(
                    "differences",
                    verdict.differences().stream().map(Verdict.Difference::text).toList());
        }
        return Json.bytes(fields);
    }

    static String base64(byte[] octets) {
        return Base64.getEncoder().encodeToString(octets);
    }

    private static JsonNode object(byte[] body, Set<String> known) throws MalformedEvidenceException {
        JsonNode json;
        try {
            json = Json.tree(new String(body, StandardCharsets.UTF_8));
        } catch (JsonProcessingException e) {
            throw new MalformedEvidenceException("the body is not JSON");
        }
        if (json == null || !json.isObject()) {
            throw new MalformedEvidenceException("the body is not a JSON object");
        }
        for (Map.Entry<String, JsonNode> field : json.properties()) {
            if (!known.contains(field.getKey())) {
                throw new MalformedEvidenceException("there is no such field here; known are " + known);
            }
        }
        return json;
    }

    private static String text(JsonNode json, String field, int most) throws MalformedEvidenceException {
        JsonNode value = json.path(field);
        if (!value.isTextual() || value.asText().length() > most) {
            throw new MalformedEvidenceException(field + " is a text of at most " + most + " characters");
        }
        return value.asText();
    }

    private static byte[] octets(String field, JsonNode value) throws MalformedEvidenceException {
        return octets(field, value, MOST_OCTETS);
    }

    private static byte[] octets(String field, JsonNode value, int most) throws MalformedEvidenceException {
        if (!value.isTextual() || value.asText().length() > most) {
            throw new MalformedEvidenceException(field + " is base64 of at most " + most + " characters");
        }
        try {
            return Base64.getDecoder().decode(value.asText());
        } catch (IllegalArgumentException e) {
            throw new MalformedEvidenceException(field + " is not base64");
        }
    }
}
