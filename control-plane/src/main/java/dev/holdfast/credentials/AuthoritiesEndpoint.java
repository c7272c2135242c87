package dev.holdfast.credentials;

import dev.holdfast.access.Scope;
import dev.holdfast.api.Rooms;
import dev.holdfast.ca.Authority;
import dev.holdfast.ca.OwnRoot;
import dev.holdfast.core.Digest;
import dev.holdfast.core.Serial;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.X509FormatException;
import dev.holdfast.web.Call;
import dev.holdfast.web.Fields;
import dev.holdfast.web.Handlers;
import dev.holdfast.web.Problem;
import dev.holdfast.web.Reply;
import java.security.cert.X509Certificate;
import java.util.LinkedHashSet;
import java.util.Set;

/// Our certification authorities, and the way to put them under the operator's own root.
final class AuthoritiesEndpoint {
    private final Rooms rooms;

    AuthoritiesEndpoint(Rooms rooms) {
        this.rooms = rooms;
    }

    void register(Handlers handlers) {
        handlers.on("getCaPem", Scope.READ, this::caPem);
        handlers.on("listAuthorities", Scope.READ, this::authorities);
        handlers.on("requestAuthority", Scope.SETTINGS_WRITE, this::request);
        handlers.on("installAuthority", Scope.SETTINGS_WRITE, this::install);
    }

    private Reply request(Call call) {
        OwnRoot ownRoot = rooms.ca().ownRoot();
        OwnRoot.Request request = call.required("purpose").equals("devices")
                ? ownRoot.requestDevices(call.environment(), call.actor())
                : ownRoot.requestServers(call.actor());
        return Reply.created(Fields.of("id", request.id()).with("pem", request.pem()));
    }

    private Reply install(Call call) {
        OwnRoot.Installed outcome;
        try {
            outcome = rooms.ca().ownRoot().install(call.id(), OwnRoot.chain(call.required("chain")), call.actor());
        } catch (X509FormatException e) {
            throw Problem.malformed("/chain", "holds no certificates in PEM: " + e.getMessage());
        }
        return switch (outcome) {
            case INSTALLED ->
                Reply.ok(authority(rooms.ca().authorities().all().stream()
                        .filter(a -> a.id().equals(call.id()))
                        .findFirst()
                        .orElseThrow()));
            case NOT_REQUESTED -> throw Problem.notFound("open request " + call.id());
            case HOST_NAME_NOT_RECORDED ->
                throw Problem.conflict("publicHostName is not configured: certificates would name a place that nobody"
                        + " can ask; set it and restart");
            case KEY_DIFFERS ->
                throw Problem.malformed("/chain", "its first certificate is for another key than the request's");
            case NOT_AN_AUTHORITY ->
                throw Problem.malformed(
                        "/chain",
                        "each must be a CA's: basicConstraints CA:TRUE, keyUsage keyCertSign,"
                                + " and cRLSign and subjectKeyIdentifier for the first");
            case NOT_VALID_NOW -> throw Problem.malformed("/chain", "holds a certificate that is not valid now");
            case CHAIN_BROKEN ->
                throw Problem.malformed(
                        "/chain", "must lead from the issuer, each signed by the next, to a self-signed root");
            case ROOT_NOT_INTRODUCED ->
                throw Problem.conflict(
                        "its root is another than the one that devices know: introduce it first (holdfast"
                                + " cert campaign start --for root --root FILE --cross FILE), or they are locked out");
            case ROOT_IS_GOING ->
                throw Problem.conflict(
                        "its root is being replaced: have it certified by the next one, or finish or abandon"
                                + " that rollover first");
            case NO_WAY_FROM_OLD_ROOT ->
                throw Problem.malformed(
                        "/chain",
                        "is too long for the path lengths under the root that is being replaced: devices that know that"
                                + " one alone would not find their way");
            case LISTENERS_NOT_PERMITTED ->
                throw Problem.malformed(
                        "/chain",
                        "its name constraints forbid a name of the listeners: the public host name, localhost and 127.0.0.1"
                                + " must be permitted (holdfast ceremony sign --permit-dns --permit-ip)");
            case OVERTAKEN ->
                throw Problem.conflict("an issuer that was asked for later is in use: ask for a new request");
        };
    }

    /// Issuers first, roots last, each once: what `curl --cacert`, `openssl verify` and mosquitto take.
    private Reply caPem(Call call) {
        Set<X509Certificate> all = new LinkedHashSet<>();
        for (Authority authority : rooms.ca().authorities().all()) {
            boolean ours = authority.environment().isEmpty()
                    || authority.environment().get().equals(call.environment());
            if (ours && authority.standing().isTrusted() && authority.purpose() != Authority.Purpose.ROOT) {
                all.add(authority.certificate());
            }
        }
        for (Authority authority : rooms.ca().authorities().all()) {
            if (authority.standing().isTrusted()) {
                all.addAll(authority.above());
                if (authority.purpose() == Authority.Purpose.ROOT) {
                    all.add(authority.certificate());
                }
            }
        }
        StringBuilder pem = new StringBuilder();
        all.forEach(certificate -> pem.append(Certificates.pem(certificate)));
        return Reply.text("application/x-pem-file", pem.toString());
    }

    private Reply authorities(Call call) {
        return Reply.ok(Fields.of(
                "authorities",
                rooms.ca().authorities().all().stream()
                        .filter(a -> a.environment().isEmpty()
                                || a.environment().get().equals(call.environment()))
                        .map(AuthoritiesEndpoint::authority)
                        .toList()));
    }

    private static Fields authority(Authority authority) {
        X509Certificate certificate = authority.certificate();
        return Fields.of("name", authority.id())
                .with(
                        "kind",
                        switch (authority.purpose()) {
                            case ROOT -> "root";
                            case DEVICE -> "issuing";
                            case SERVER -> "server";
                        })
                .with("subject", certificate.getSubjectX500Principal().getName())
                .with("serial", Serial.of(certificate.getSerialNumber()).hex())
                .with("notBefore", certificate.getNotBefore().toInstant())
                .with("notAfter", certificate.getNotAfter().toInstant())
                .with("sha256", Digest.of(Certificates.der(certificate)).hex())
                .with("development", authority.development())
                .with("standing", authority.standing().text());
    }
}
