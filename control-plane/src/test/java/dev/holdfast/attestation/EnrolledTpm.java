package dev.holdfast.attestation;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.TestServer;
import dev.holdfast.core.Json;
import dev.holdfast.core.ModelId;
import dev.holdfast.profiles.ProfileText;
import dev.holdfast.protocol.tpm.PcrSelection;
import dev.holdfast.protocol.x509.Certificates;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A device that was enrolled by its TPM, and quotes in sessions of its own.
record EnrolledTpm(TestServer server, TpmDevice device, AttestCaller.Caller caller) {
    static final PcrSelection BOOT = PcrSelection.parse("sha256:0,1,2,3,4,5,6,7");

    /// A certificate profile `lab` that takes programs that imitate a TPM.
    static void allowSoftware(TestServer server) throws Exception {
        server.server()
                .ca()
                .profiles()
                .put(
                        TestServer.ENVIRONMENT,
                        ProfileText.read(
                                "lab",
                                Json.tree("{\"admittance\":{\"credentials\":[\"tpm\",\"token\"],"
                                        + "\"attestation\":\"software-tpm\"}}")),
                        "for the test",
                        TestServer.TESTER);
    }

    static void policy(
            TestServer server, String model, boolean firstUse, Optional<Duration> every, References.Wish... wishes) {
        server.server()
                .attestation()
                .references()
                .put(
                        TestServer.ENVIRONMENT,
                        new ModelId(model),
                        new References.ModelReferences(new PcrPolicy(BOOT, firstUse, every), List.of(wishes)),
                        "for the test",
                        TestServer.TESTER);
    }

    static EnrolledTpm enrol(TestServer server, String id) throws Exception {
        return enrol(server, new TpmDevice(server.register(id)));
    }

    static EnrolledTpm enrol(TestServer server, TpmDevice device) throws Exception {
        server.server()
                .attestation()
                .endorsements()
                .register(new Endorsements.Key(device.fingerprint(), device.ref, true, false), TestServer.TESTER);
        JsonNode asked = AttestCaller.post(server, "challenge", device.challenge(), Optional.empty())
                .json();
        JsonNode answer = AttestCaller.post(server, "activate", device.answer(asked), Optional.empty())
                .json();
        return new EnrolledTpm(
                server,
                device,
                new AttestCaller.Caller(
                        device.key.pair(), Certificates.parse(TpmDevice.octets(answer, "certificate"))));
    }

    JsonNode nonce() throws Exception {
        return AttestCaller.send(server, "nonce", "{}", Optional.of(caller)).json();
    }

    AttestCaller.Answer send(Map<String, Object> quote) throws Exception {
        return AttestCaller.post(server, "quote", quote, Optional.of(caller));
    }

    /// Quotes, and sends an event log along.
    AttestCaller.Answer quote(byte[] log) throws Exception {
        Map<String, Object> quote = device.quoteAgain(nonce());
        quote.put("eventLog", TpmDevice.base64(log));
        return send(quote);
    }

    AttestCaller.Answer quote() throws Exception {
        return send(device.quoteAgain(nonce()));
    }
}
