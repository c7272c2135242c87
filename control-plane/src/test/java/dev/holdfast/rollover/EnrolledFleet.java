package dev.holdfast.rollover;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.TestServer;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Serial;
import dev.holdfast.identity.Applicant;
import dev.holdfast.identity.Credential;
import dev.holdfast.identity.EnrolmentOutcome;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.CertificationRequest;
import dev.holdfast.protocol.x509.Crypto;
import dev.holdfast.telemetry.Observation;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/// Devices of a server, as far as rollovers see them: they enrol, connect, renew, and say what they trust.
final class EnrolledFleet {
    static final int PER_HOUR = 3_600_000;
    private static final SecureRandom RANDOM = new SecureRandom();

    private final TestServer server;

    EnrolledFleet(TestServer server) {
        this.server = server;
    }

    static Rollover done(Step step) {
        assertThat(step).isInstanceOf(Step.Done.class);
        return ((Step.Done) step).rollover();
    }

    static List<String> missing(Step step) {
        assertThat(step).isInstanceOf(Step.DevicesDepend.class);
        return ((Step.DevicesDepend) step).some().stream().map(Object::toString).toList();
    }

    Rollovers rollovers() {
        return server.server().rollover().rollovers();
    }

    X509Certificate enrol(DeviceRef device, Credential credential) {
        EnrolmentOutcome outcome = server.server()
                .identity()
                .enrolment()
                .enrol(
                        CertificationRequest.create(device.id().value(), Crypto.generateP256(RANDOM)),
                        Applicant.of("EST", credential, "127.0.0.1"));
        assertThat(outcome).isInstanceOf(EnrolmentOutcome.Issued.class);
        return ((EnrolmentOutcome.Issued) outcome).certificate();
    }

    /// Enrols a device and uses its certificate, as a first connection does.
    X509Certificate enrolAndConnect(String id) {
        DeviceRef device = server.register(id);
        String credential = server.credential(device);
        X509Certificate certificate =
                enrol(device, new Credential.Token(device.id(), credential.substring(credential.indexOf(':') + 1)));
        connect(certificate);
        return certificate;
    }

    void connect(X509Certificate certificate) {
        Serial serial = Serial.of(certificate.getSerialNumber());
        TestServer.await("first use of " + serial, () -> {
            server.server().identity().admit(certificate, Instant.now());
            return server.server()
                    .identity()
                    .certificate(serial)
                    .filter(c -> c.activatedAt().isPresent())
                    .isPresent();
        });
    }

    X509Certificate renewAndConnect(String id, X509Certificate before) {
        X509Certificate renewed = enrol(TestServer.device(id), new Credential.Operational(before));
        connect(renewed);
        return renewed;
    }

    /// The device's configuration report names this root.
    void says(String id, X509Certificate root) {
        server.server()
                .telemetry()
                .accept(new Observation.ConfigurationReport(
                        TestServer.device(id),
                        Instant.now(),
                        Map.of("trust.roots", "abc " + Certificates.fingerprint(root))));
    }

    String issuer(X509Certificate certificate) {
        return server.server()
                .identity()
                .certificate(Serial.of(certificate.getSerialNumber()))
                .orElseThrow()
                .authority();
    }
}
