package dev.holdfast.credentials;

import dev.holdfast.access.Scope;
import dev.holdfast.api.Rooms;
import dev.holdfast.ca.CertificateState;
import dev.holdfast.ca.Issuance;
import dev.holdfast.ca.IssuedCertificate;
import dev.holdfast.ca.RevocationReason;
import dev.holdfast.core.Digest;
import dev.holdfast.core.Serial;
import dev.holdfast.protocol.x509.Pem;
import dev.holdfast.web.Call;
import dev.holdfast.web.Fields;
import dev.holdfast.web.Handlers;
import dev.holdfast.web.Problem;
import dev.holdfast.web.Reply;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Device certificates.
final class CertificatesEndpoint {
    private final Rooms rooms;

    CertificatesEndpoint(Rooms rooms) {
        this.rooms = rooms;
    }

    void register(Handlers handlers) {
        handlers.on("listCertificates", Scope.READ, this::list);
        handlers.on("listDeviceCertificates", Scope.READ, call -> {
            if (rooms.inventory().find(call.device()).isEmpty()) {
                throw Problem.notFound("device " + call.id());
            }
            return Reply.ok(Fields.of(
                    "certificates",
                    rooms.identity().certificates(call.device()).stream()
                            .map(this::fields)
                            .toList()));
        });
        handlers.on("getCertificate", Scope.READ, call -> {
            IssuedCertificate certificate = find(call);
            return Reply.ok(fields(certificate)
                    .with("pem", certificate.der().map(der -> Pem.encode(Pem.CERTIFICATE, der))));
        });
        handlers.on("revokeCertificate", Scope.IDENTITY_WRITE, this::revoke);
    }

    private static Serial serial(Call call) {
        try {
            return Serial.parse(call.path().getOrDefault("serial", ""));
        } catch (IllegalArgumentException e) {
            throw Problem.malformed("serial", "is not a serial number in hexadecimal");
        }
    }

    private IssuedCertificate find(Call call) {
        return rooms.identity()
                .certificate(serial(call))
                .filter(c -> c.device()
                        .filter(d -> d.environment().equals(call.environment()))
                        .isPresent())
                .orElseThrow(() -> Problem.notFound("certificate " + serial(call)));
    }

    private Reply list(Call call) {
        Optional<String> status = call.text("status");
        Optional<String> cursor = call.cursor();
        List<IssuedCertificate> found = new ArrayList<>();
        Issuance.Position after = cursor.map(CertificatesEndpoint::position).orElse(Issuance.Position.FIRST);
        List<IssuedCertificate> page;
        do {
            page = rooms.ca()
                    .issuance()
                    .list(call.environment(), call.deviceParameter().map(d -> d.id()), after, 200);
            page.stream()
                    .filter(c -> status.isEmpty() || status.get().equals(status(c)))
                    .forEach(found::add);
            after = page.isEmpty() ? after : Issuance.Position.of(page.getLast());
        } while (page.size() == 200 && found.size() <= call.limit());
        List<IssuedCertificate> shown = found.subList(0, Math.min(found.size(), call.limit()));
        Fields reply =
                Fields.of("certificates", shown.stream().map(this::fields).toList());
        if (found.size() > call.limit()) {
            Issuance.Position last = Issuance.Position.of(shown.getLast());
            reply.with("next", call.nextCursor(last.notBefore() + " " + last.serial()));
        }
        return Reply.ok(reply);
    }

    private static Issuance.Position position(String cursor) {
        try {
            String[] parts = cursor.split(" ", 2);
            return new Issuance.Position(java.time.Instant.parse(parts[0]), parts[1]);
        } catch (java.time.DateTimeException | ArrayIndexOutOfBoundsException e) {
            throw Call.badCursor();
        }
    }

    private Reply revoke(Call call) {
        IssuedCertificate certificate = find(call);
        RevocationReason code = switch (call.optional("code").orElse("unspecified")) {
            case "keyCompromise" -> RevocationReason.KEY_COMPROMISE;
            case "affiliationChanged" -> RevocationReason.AFFILIATION_CHANGED;
            case "superseded" -> RevocationReason.SUPERSEDED;
            case "cessationOfOperation" -> RevocationReason.CESSATION_OF_OPERATION;
            case "privilegeWithdrawn" -> RevocationReason.PRIVILEGE_WITHDRAWN;
            case "unspecified" -> RevocationReason.UNSPECIFIED;
            default -> throw Problem.malformed("/code", "no reason for which an operator revokes");
        };
        return switch (rooms.identity().revoke(certificate.serial(), code, call.reason(), call.actor())) {
            case REVOKED, ALREADY_REVOKED -> Reply.ok(fields(find(call)));
            case UNKNOWN -> throw Problem.notFound("certificate " + certificate.serial());
        };
    }

    private String status(IssuedCertificate certificate) {
        if (certificate.state() == CertificateState.REVOKED || certificate.held()) {
            return "revoked";
        }
        if (certificate.notAfter().isBefore(rooms.clock().instant())) {
            return "expired";
        }
        return certificate.state() == CertificateState.SUPERSEDED ? "superseded" : "valid";
    }

    private Fields fields(IssuedCertificate c) {
        boolean revoked = c.state() == CertificateState.REVOKED || c.held();
        return Fields.of("serial", c.serial().hex())
                .with("device", c.device().map(d -> d.id().value()).orElse(c.name()))
                .with(
                        "environment",
                        c.device().map(d -> d.environment().value()).orElse(""))
                .with("status", status(c))
                .with("subject", "CN=" + c.name())
                .with("issuer", c.authority())
                .with("profile", c.profile())
                .with("grantedBy", c.grantedBy())
                .with("notBefore", c.notBefore())
                .with("notAfter", c.notAfter())
                .with("issuedAt", c.issuedAt())
                .with("revokedAt", revoked ? c.endedAt() : null)
                .with(
                        "revocationCode",
                        c.held() ? "certificateHold" : c.reason().map(CertificatesEndpoint::camel))
                .with("revocationReason", c.held() ? "its device is suspended" : null)
                .with("sha256", c.der().map(der -> Digest.of(der).hex()));
    }

    private static String camel(RevocationReason reason) {
        String[] words = reason.text().split("-", -1);
        StringBuilder camel = new StringBuilder(words[0]);
        for (int i = 1; i < words.length; i++) {
            camel.append(Character.toUpperCase(words[i].charAt(0))).append(words[i], 1, words[i].length());
        }
        return camel.toString();
    }
}
