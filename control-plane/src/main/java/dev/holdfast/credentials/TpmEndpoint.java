package dev.holdfast.credentials;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.access.Scope;
import dev.holdfast.api.Rooms;
import dev.holdfast.attestation.Attestation;
import dev.holdfast.attestation.Endorsements;
import dev.holdfast.attestation.PcrPolicy;
import dev.holdfast.attestation.PcrReference;
import dev.holdfast.attestation.References;
import dev.holdfast.attestation.Verdict;
import dev.holdfast.core.DeviceId;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.FirmwareVersion;
import dev.holdfast.core.ModelId;
import dev.holdfast.protocol.tpm.PcrSelection;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.Pem;
import dev.holdfast.protocol.x509.X509FormatException;
import dev.holdfast.web.Call;
import dev.holdfast.web.Fields;
import dev.holdfast.web.Handlers;
import dev.holdfast.web.ImportReport;
import dev.holdfast.web.Problem;
import dev.holdfast.web.Reply;
import java.security.cert.X509Certificate;
import java.time.DateTimeException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// TPMs: whose endorsement keys count, what registers may hold, and what each device has shown.
final class TpmEndpoint {
    private static final int VERDICTS = 20;
    private final Rooms rooms;

    TpmEndpoint(Rooms rooms) {
        this.rooms = rooms;
    }

    void register(Handlers handlers) {
        handlers.on("listTpmAnchors", Scope.READ, call -> Reply.ok(Fields.of("anchors", anchors(call))));
        handlers.on("addTpmAnchor", Scope.SETTINGS_WRITE, this::addAnchor);
        handlers.on("removeTpmAnchor", Scope.SETTINGS_WRITE, call -> {
            if (!endorsements().withdrawAnchor(call.environment(), call.id(), "removed by an operator", call.actor())) {
                throw Problem.notFound("TPM anchor " + call.id());
            }
            return Reply.nothing(204);
        });
        handlers.on("registerEndorsementKeys", Scope.IDENTITY_WRITE, this::keys);
        handlers.on("getPcrReferences", Scope.READ, call -> Reply.ok(references(call, model(call))));
        handlers.on("putPcrReferences", Scope.SETTINGS_WRITE, this::putReferences);
        handlers.on("getDeviceAttestation", Scope.READ, call -> Reply.ok(device(call)));
        handlers.on("approveDeviceAttestation", Scope.IDENTITY_WRITE, this::approve);
    }

    private Endorsements endorsements() {
        return rooms.attestation().endorsements();
    }

    // ------------------------------------------------------------------ makers of TPMs, endorsement keys

    private List<Fields> anchors(Call call) {
        return endorsements().anchors(call.environment()).stream()
                .map(TpmEndpoint::anchor)
                .toList();
    }

    private static Fields anchor(Endorsements.Anchor anchor) {
        return Fields.of("id", anchor.id())
                .with("name", anchor.name())
                .with("subject", anchor.certificate().getSubjectX500Principal().getName())
                .with("software", anchor.software())
                .with("firstUse", anchor.firstUse())
                .with("notAfter", anchor.certificate().getNotAfter().toInstant());
    }

    private Reply addAnchor(Call call) {
        X509Certificate certificate;
        try {
            List<X509Certificate> read = Certificates.parsePem(call.required("pem"));
            if (read.size() != 1) {
                throw Problem.malformed("/pem", "should hold one certificate, holds " + read.size());
            }
            certificate = read.getFirst();
        } catch (X509FormatException e) {
            throw Problem.malformed("/pem", "is not a PEM certificate: " + e.getMessage());
        }
        Endorsements.Anchor anchor = new Endorsements.Anchor(
                call.environment(),
                Certificates.fingerprint(certificate),
                call.required("name").strip(),
                certificate,
                call.body().path("software").asBoolean(false),
                call.body().path("firstUse").asBoolean(false));
        if (!endorsements().registerAnchor(anchor, call.actor())) {
            throw Problem.malformed("/pem", "is not a certification authority's certificate");
        }
        return Reply.created(anchor(anchor));
    }

    private Reply keys(Call call) {
        ImportReport report = new ImportReport();
        int line = 0;
        for (JsonNode key : call.body().path("keys")) {
            line++;
            report.read();
            DeviceRef device = new DeviceRef(
                    call.environment(), new DeviceId(key.path("device").asText()));
            try {
                Endorsements.Key wanted = new Endorsements.Key(
                        fingerprint(key), device, !key.path("hardware").asBoolean(false), false);
                switch (endorsements().register(wanted, call.actor())) {
                    case REGISTERED -> report.accepted();
                    case ALREADY_REGISTERED -> report.unchanged();
                    case BELONGS_TO_ANOTHER_DEVICE ->
                        report.rejected(line, "the endorsement key belongs to another device, for ever");
                    case UNKNOWN_DEVICE -> report.rejected(line, "there is no device " + device.id());
                }
            } catch (IllegalArgumentException e) {
                report.rejected(line, String.valueOf(e.getMessage()));
            }
        }
        return report.reply();
    }

    /// From its digest, its certificate or the key itself.
    private static String fingerprint(JsonNode key) {
        if (key.hasNonNull("sha256")) {
            return key.path("sha256").asText().toLowerCase(Locale.ROOT);
        }
        String pem = key.path("pem").asText();
        try {
            if (pem.contains("BEGIN CERTIFICATE")) {
                return Endorsements.fingerprint(
                        Certificates.parsePem(pem).getFirst().getPublicKey().getEncoded());
            }
            List<byte[]> found = Pem.decode("PUBLIC KEY", pem);
            if (found.size() == 1) {
                return Endorsements.fingerprint(found.getFirst());
            }
        } catch (X509FormatException e) {
            throw new IllegalArgumentException("not a PEM public key or certificate: " + e.getMessage(), e);
        }
        throw new IllegalArgumentException("give sha256, or pem with one PUBLIC KEY or CERTIFICATE");
    }

    // ------------------------------------------------------------------ reference values

    private ModelId model(Call call) {
        ModelId model;
        try {
            model = new ModelId(call.id());
        } catch (IllegalArgumentException e) {
            throw Problem.notFound("model " + call.id());
        }
        if (rooms.inventory().model(call.environment(), model).isEmpty()) {
            throw Problem.notFound("model " + call.id());
        }
        return model;
    }

    private Fields references(Call call, ModelId model) {
        References references = rooms.attestation().references();
        PcrPolicy policy = references.policy(call.environment(), model);
        return Fields.of("model", model.value())
                .with("pcrs", policy.selection().text())
                .with("firstUse", policy.firstUse())
                .with("every", policy.every().map(Duration::toString))
                .with(
                        "references",
                        references.ofModel(call.environment(), model).stream()
                                .map(TpmEndpoint::reference)
                                .toList());
    }

    private static Fields reference(PcrReference reference) {
        return Fields.of("name", reference.name())
                .with("firmware", reference.firmware().map(FirmwareVersion::value))
                .with("values", reference.values())
                .with("superseded", reference.superseded())
                .with(
                        "origin",
                        reference.origin().name().toLowerCase(Locale.ROOT).replace('_', '-'));
    }

    private Reply putReferences(Call call) {
        ModelId model = model(call);
        try {
            List<References.Wish> wishes = new ArrayList<>();
            for (JsonNode each : call.body().path("references")) {
                Map<String, String> values = new HashMap<>();
                each.path("values")
                        .properties()
                        .forEach(v ->
                                values.put(v.getKey(), v.getValue().asText().toLowerCase(Locale.ROOT)));
                wishes.add(new References.Wish(
                        each.path("name").asText(),
                        Optional.ofNullable(each.path("firmware").textValue()).map(FirmwareVersion::new),
                        values,
                        each.path("superseded").asBoolean(false)));
            }
            PcrPolicy policy = new PcrPolicy(
                    call.optional("pcrs").map(PcrSelection::parse).orElse(PcrPolicy.USUAL.selection()),
                    call.body().path("firstUse").asBoolean(false),
                    call.optional("every").map(Duration::parse));
            rooms.attestation()
                    .references()
                    .put(
                            call.environment(),
                            model,
                            new References.ModelReferences(policy, wishes),
                            "set by an operator",
                            call.actor());
        } catch (DateTimeException e) {
            throw Problem.malformed("/every", "is a duration such as PT24H");
        } catch (IllegalArgumentException e) {
            throw Problem.malformed("/", String.valueOf(e.getMessage()));
        }
        return Reply.ok(references(call, model));
    }

    // ------------------------------------------------------------------ devices

    private Fields device(Call call) {
        DeviceRef device = call.device();
        if (rooms.inventory().find(device).isEmpty()) {
            throw Problem.notFound("device " + call.id());
        }
        Attestation attestation = rooms.attestation();
        return Fields.of("device", call.id())
                .with(
                        "endorsementKeys",
                        endorsements().of(device).stream()
                                .map(key -> Fields.of("sha256", key.fingerprint())
                                        .with("hardware", !key.software())
                                        .with("firstUse", key.firstUse()))
                                .toList())
                .with(
                        "references",
                        attestation.references().ofDevice(device).stream()
                                .map(TpmEndpoint::reference)
                                .toList())
                .with(
                        "verdicts",
                        attestation.verdicts(device, VERDICTS).stream()
                                .map(TpmEndpoint::verdict)
                                .toList());
    }

    private static Fields verdict(Verdict verdict) {
        return Fields.of("at", verdict.at())
                .with("occasion", verdict.occasion().text())
                .with("verdict", verdict.passed() ? "passed" : "failed")
                .with("faults", verdict.faults())
                .with("because", verdict.because())
                .with("hardware", !verdict.software())
                .with("endorsementKey", verdict.endorsement())
                .with("reference", verdict.reference())
                .with("expected", verdict.expected())
                .with(
                        "differences",
                        verdict.differences().stream()
                                .map(TpmEndpoint::difference)
                                .toList())
                .with("eventLog", verdict.eventLog())
                .with("registers", verdict.registers())
                .with("resets", verdict.life().map(Verdict.Life::resets))
                .with("firmware", verdict.life().map(Verdict.Life::firmware));
    }

    private static Fields difference(Verdict.Difference difference) {
        return Fields.of("register", difference.register())
                .with("expected", difference.expected())
                .with("seen", difference.seen())
                .with(
                        "events",
                        difference.events().stream()
                                .map(change ->
                                        Fields.of("expected", change.expected()).with("seen", change.seen()))
                                .toList());
    }

    private Reply approve(Call call) {
        return switch (rooms.attestation().approve(call.device(), call.reason(), call.actor())) {
            case APPROVED -> Reply.ok(device(call));
            case NOTHING_TO_APPROVE ->
                throw Problem.conflict("the device's last verdict has no believed quote of the registers asked for");
            case UNKNOWN_DEVICE -> throw Problem.notFound("device " + call.id());
        };
    }
}
