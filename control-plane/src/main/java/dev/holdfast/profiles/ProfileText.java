package dev.holdfast.profiles;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.core.Json;
import dev.holdfast.protocol.x509.KeyKind;
import java.time.DateTimeException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;

/// A profile as JSON (in files: the same as YAML), as the API takes and gives it:
/// `{"usages":["tls-client"],"keys":{"kinds":["ec-p256"],"serverGenerated":false},
/// "validity":{"lifetime":"PT2160H","jitterPercent":10,"backdated":"PT5M"},
/// "rotation":{"overlap":"PT0S","renewableAfterExpiry":"PT0S","lateWindow":"PT8760H"},
/// "admittance":{"credentials":["token"],"approval":false,"channelBound":false,"attestation":"none","dnsNames":[]}}`
///
/// Whatever is left out is as [CertificateProfile#forDevices] has it; unknown keys are refused by the API's contract.
public final class ProfileText {
    private static final Duration LIFETIME = Duration.ofDays(90);

    private ProfileText() {}

    public static JsonNode write(CertificateProfile profile) {
        ObjectNode json = Json.mapper().createObjectNode();
        json.put("name", profile.name());
        strings(json, "usages", profile.usages(), CertificateProfile.Usage::text);
        ObjectNode keys = json.putObject("keys");
        strings(keys, "kinds", profile.keys().kinds(), KeyKind::text);
        keys.put("serverGenerated", profile.keys().serverGenerated());
        json.putObject("validity")
                .put("lifetime", profile.validity().lifetime().toString())
                .put("jitterPercent", profile.validity().jitterPercent())
                .put("backdated", profile.validity().backdated().toString());
        json.putObject("rotation")
                .put("overlap", profile.rotation().overlap().toString())
                .put(
                        "renewableAfterExpiry",
                        profile.rotation().renewableAfterExpiry().toString())
                .put("lateWindow", profile.rotation().lateWindow().toString());
        CertificateProfile.Admittance who = profile.admittance();
        ObjectNode admittance = json.putObject("admittance");
        strings(admittance, "credentials", who.credentials(), CertificateProfile.CredentialKind::text);
        admittance
                .put("approval", who.approval())
                .put("channelBound", who.channelBound())
                .put("attestation", who.attestation().text());
        strings(admittance, "dnsNames", who.dnsNames(), Function.identity());
        return json;
    }

    private static <T> void strings(ObjectNode into, String field, Iterable<T> values, Function<T, String> text) {
        ArrayNode array = into.putArray(field);
        Set<String> sorted = new TreeSet<>();
        values.forEach(value -> sorted.add(text.apply(value)));
        sorted.forEach(array::add);
    }

    /// @throws IllegalArgumentException saying what is wrong, for people
    public static CertificateProfile read(String name, JsonNode json) {
        CertificateProfile usual = CertificateProfile.forDevices(name, LIFETIME, Duration.ZERO);
        JsonNode keys = json.path("keys");
        JsonNode validity = json.path("validity");
        JsonNode rotation = json.path("rotation");
        JsonNode who = json.path("admittance");
        return new CertificateProfile(
                name,
                set(json.path("usages"), usual.usages(), "usage", CertificateProfile.Usage::parseForProfile),
                new CertificateProfile.Keys(
                        set(keys.path("kinds"), usual.keys().kinds(), "kind of key", KeyKind::parse),
                        keys.path("serverGenerated").asBoolean(false)),
                new CertificateProfile.Validity(
                        duration(validity, "lifetime", LIFETIME),
                        validity.path("jitterPercent").asInt(usual.validity().jitterPercent()),
                        duration(validity, "backdated", CertificateProfile.BACKDATED)),
                new CertificateProfile.Rotation(
                        duration(rotation, "overlap", Duration.ZERO),
                        duration(rotation, "renewableAfterExpiry", Duration.ZERO),
                        duration(rotation, "lateWindow", usual.rotation().lateWindow())),
                new CertificateProfile.Admittance(
                        set(
                                who.path("credentials"),
                                usual.admittance().credentials(),
                                "kind of credential",
                                CertificateProfile.CredentialKind::parse),
                        who.path("approval").asBoolean(false),
                        who.path("channelBound").asBoolean(false),
                        CertificateProfile.Attestation.parse(
                                        who.path("attestation").asText("none"))
                                .orElseThrow(() -> new IllegalArgumentException(
                                        "attestation is none, manufacturer, tpm or software-tpm")),
                        texts(who.path("dnsNames"))));
    }

    private static <T> Set<T> set(JsonNode array, Set<T> usual, String what, Function<String, Optional<T>> parse) {
        if (array.isMissingNode()) {
            return usual;
        }
        return texts(array).stream()
                .map(text -> parse.apply(text)
                        .orElseThrow(() -> new IllegalArgumentException("no such " + what + ": " + text)))
                .collect(Collectors.toUnmodifiableSet());
    }

    private static List<String> texts(JsonNode array) {
        List<String> texts = new ArrayList<>();
        array.forEach(element -> texts.add(element.asText()));
        return texts;
    }

    private static Duration duration(JsonNode in, String field, Duration usual) {
        if (!in.has(field)) {
            return usual;
        }
        try {
            return Duration.parse(in.path(field).asText());
        } catch (DateTimeException e) {
            throw new IllegalArgumentException(field + " is not a duration such as P90D or PT12H", e);
        }
    }
}
