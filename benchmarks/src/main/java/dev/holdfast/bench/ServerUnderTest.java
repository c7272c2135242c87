package dev.holdfast.bench;

import dev.holdfast.Server;
import dev.holdfast.ca.ApprovedRequest;
import dev.holdfast.ca.Ca;
import dev.holdfast.ca.Intended;
import dev.holdfast.config.Configuration;
import dev.holdfast.core.Actor;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.core.Labels;
import dev.holdfast.core.ModelId;
import dev.holdfast.identity.EnrolmentTokens;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.inventory.Lifecycle;
import dev.holdfast.inventory.Model;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.CertificationRequest;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/// The server in a process of its own, with a fleet prepared before anything is measured: so many devices with a
/// certificate each, and so many registered ones with a token each. Ends when its standard input does.
final class ServerUnderTest {
    private static final Environment ENVIRONMENT = new Environment("development");
    private static final ModelId MODEL = new ModelId("bench");
    private static final Actor ACTOR = new Actor.Holdfast("bench");

    private ServerUnderTest() {}

    /// @param args data folder, number of enrolled devices, number of devices to enrol
    public static void main(String[] args) throws Exception {
        Path folder = Path.of(args[0]);
        Map<String, String> variables = new HashMap<>();
        for (String listener : List.of("OPERATOR", "DEVICE", "MQTT", "PKI", "SYSLOG", "IPFIX")) {
            variables.put("HOLDFAST_LISTENERS_" + listener + "_PORT", "0");
            variables.put("HOLDFAST_LISTENERS_" + listener + "_HOST", "127.0.0.1");
        }
        variables.put("HOLDFAST_LIMITS_HANDSHAKES_PER_SECOND", "100000");
        variables.put(
                "HOLDFAST_DATABASE_BINARIES",
                folder.resolveSibling("postgres-programs").toString());
        Configuration configuration = Configuration.load(Optional.empty(), variables);
        try (Server server =
                Server.start(configuration, folder.resolve("data"), InstantSource.system(), new SecureRandom())) {
            prepare(server, folder, Integer.parseInt(args[1]), Integer.parseInt(args[2]));
            System.out.println(
                    "READY device=" + server.devicePort() + " mqtt=" + server.mqttPort() + " pki=" + server.pkiPort());
            while (System.in.read() >= 0) {
                // until the bench closes our input
            }
        }
    }

    private static void prepare(Server server, Path folder, int enrolled, int tokens) throws Exception {
        Files.writeString(
                folder.resolve("root.pem"),
                Certificates.pem(server.ca().authorities().root().certificate()));
        server.inventory()
                .putModel(
                        new Model(
                                ENVIRONMENT,
                                MODEL,
                                "bench",
                                "hw-1",
                                Duration.ofMinutes(10),
                                Map.of(),
                                List.of(),
                                Map.of()),
                        ACTOR);
        try (var threads = Executors.newFixedThreadPool(32);
                BufferedWriter devices = Files.newBufferedWriter(folder.resolve("devices"));
                BufferedWriter fresh = Files.newBufferedWriter(folder.resolve("tokens"))) {
            List<Future<String>> made = new ArrayList<>();
            for (int n = 0; n < enrolled; n++) {
                String id = "meter-" + n;
                made.add(threads.submit(() -> enrol(server, id)));
            }
            write(made, devices);
            made.clear();
            for (int n = 0; n < tokens; n++) {
                String id = "new-" + n;
                made.add(threads.submit(() -> token(server, id)));
            }
            write(made, fresh);
        }
        X509Certificate issuer =
                server.ca().authorities().devices(ENVIRONMENT).orElseThrow().certificate();
        Files.writeString(folder.resolve("issuer.pem"), Certificates.pem(issuer));
    }

    private static void write(List<Future<String>> lines, BufferedWriter to) throws Exception {
        for (Future<String> line : lines) {
            to.write(line.get());
            to.newLine();
        }
    }

    private static DeviceRef register(Server server, String id) {
        DeviceRef ref = new DeviceRef(ENVIRONMENT, new dev.holdfast.core.DeviceId(id));
        server.inventory().register(new Inventory.Registration(ref, MODEL, Labels.NONE), ACTOR);
        return ref;
    }

    /// A device with a certificate, by the rooms' own doors, as enrolment leaves it.
    private static String enrol(Server server, String id) throws Exception {
        DeviceRef ref = register(server, id);
        KeyPair key = newKey();
        Ca ca = server.ca();
        ApprovedRequest request = new ApprovedRequest(
                ENVIRONMENT,
                Optional.of(ref),
                id,
                List.of("URI:urn:holdfast:" + ENVIRONMENT + ":device:" + id),
                CertificationRequest.verify(CertificationRequest.create(id, key))
                        .publicKeyInfo(),
                ca.deviceProfile(),
                "token");
        Intended intended = server.journal().commit(tx -> ca.issuance().intend(tx, request));
        X509Certificate certificate = ca.issuance().sign(intended);
        server.journal().run(tx -> {
            ca.issuance().store(tx, intended, certificate, ACTOR);
            server.inventory().transition(tx, ref, Lifecycle.ENROLLED, "enrolled", Optional.empty(), ACTOR);
        });
        Base64.Encoder base64 = Base64.getEncoder();
        return id + "\t" + base64.encodeToString(key.getPrivate().getEncoded()) + "\t"
                + base64.encodeToString(certificate.getEncoded());
    }

    private static String token(Server server, String id) throws IOException {
        DeviceRef ref = register(server, id);
        if (server.identity().issueEnrolmentToken(ref, Duration.ofHours(2), ACTOR)
                instanceof EnrolmentTokens.Issued.Token token) {
            return id + "\t" + token.secret();
        }
        throw new IOException("no token for " + id);
    }

    static KeyPair newKey() {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec("secp256r1"));
            return generator.generateKeyPair();
        } catch (java.security.GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }
}
