package dev.holdfast.bench;

import dev.holdfast.Server;
import dev.holdfast.ca.ApprovedRequest;
import dev.holdfast.ca.Ca;
import dev.holdfast.config.Configuration;
import dev.holdfast.core.Actor;
import dev.holdfast.core.DeviceId;
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
import dev.holdfast.protocol.x509.Crypto;
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
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/// Prepares a data folder with a fleet in it, in a process of its own, before anything is measured: devices
/// with a certificate each, and registered ones with a token each. Nothing of this counts.
final class FleetMain {
    static final Environment ENVIRONMENT = new Environment("development");
    static final ModelId MODEL = new ModelId("bench");
    private static final Actor ACTOR = new Actor.Holdfast("bench");

    private final Server server;
    private final Path folder;

    private FleetMain(Server server, Path folder) {
        this.server = server;
        this.folder = folder;
    }

    /// How many of each kind.
    ///
    /// @param others registered, and no more: they make the population as large as the limits of isolation want
    ///     it
    record Sizes(int meters, int hostile, int newcomers, int others) {
        String[] arguments() {
            return new String[] {"" + meters, "" + hostile, "" + newcomers, "" + others};
        }
    }

    /// @param args folder, then the four sizes
    public static void main(String[] args) throws Exception {
        Path folder = Path.of(args[0]);
        Configuration configuration = Configuration.load(Optional.empty(), ServerProcess.variables());
        try (Server server =
                Server.start(configuration, folder.resolve("data"), InstantSource.system(), new SecureRandom())) {
            new FleetMain(server, folder)
                    .prepare(new Sizes(
                            Integer.parseInt(args[1]),
                            Integer.parseInt(args[2]),
                            Integer.parseInt(args[3]),
                            Integer.parseInt(args[4])));
        }
    }

    private void prepare(Sizes sizes) throws IOException {
        model();
        make("meter", sizes.meters(), this::enrolled);
        make("hostile", sizes.hostile(), this::enrolled);
        make("newcomer", sizes.newcomers(), this::withToken);
        make("other", sizes.others(), id -> register(id).toString());
        X509Certificate issuer =
                server.ca().authorities().devices(ENVIRONMENT).orElseThrow().certificate();
        Files.writeString(folder.resolve("issuer.pem"), Certificates.pem(issuer));
        Files.writeString(
                folder.resolve("root.pem"),
                Certificates.pem(server.ca().authorities().root().certificate()));
    }

    private void model() {
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
    }

    private interface Maker {
        String make(String id) throws IOException;
    }

    private void make(String kind, int count, Maker maker) throws IOException {
        try (var threads = Executors.newFixedThreadPool(64);
                BufferedWriter file = Files.newBufferedWriter(folder.resolve(kind))) {
            List<Future<String>> made = new ArrayList<>();
            for (int n = 0; n < count; n++) {
                String id = kind + "-" + n;
                Callable<String> task = () -> maker.make(id);
                made.add(threads.submit(task));
            }
            for (Future<String> line : made) {
                file.write(line.get());
                file.newLine();
            }
        } catch (ExecutionException | InterruptedException e) {
            throw new IOException(e);
        }
    }

    private DeviceRef register(String id) {
        DeviceRef ref = new DeviceRef(ENVIRONMENT, new DeviceId(id));
        server.inventory().register(new Inventory.Registration(ref, MODEL, Labels.NONE), ACTOR);
        return ref;
    }

    /// A device with a certificate, by the rooms' own doors, as enrolment leaves it.
    private String enrolled(String id) throws IOException {
        DeviceRef ref = register(id);
        KeyPair key = newKey();
        Ca ca = server.ca();
        ApprovedRequest request;
        try {
            request = new ApprovedRequest(
                    ENVIRONMENT,
                    Optional.of(ref),
                    id,
                    List.of("URI:urn:holdfast:" + ENVIRONMENT + ":device:" + id),
                    CertificationRequest.verify(CertificationRequest.create(id, key))
                            .publicKeyInfo(),
                    ca.profiles().find(ENVIRONMENT, "device").orElseThrow(),
                    "token");
        } catch (dev.holdfast.protocol.x509.CertificationRequestException e) {
            throw new IOException(e);
        }
        X509Certificate certificate = server.journal().commit(tx -> {
            server.inventory().transition(tx, ref, Lifecycle.ENROLLED, "enrolled", Optional.empty(), ACTOR);
            return ca.issuance().issue(tx, ca.issuance().plan(tx, request), ACTOR);
        });
        Base64.Encoder base64 = Base64.getEncoder();
        return id + "\t" + base64.encodeToString(key.getPrivate().getEncoded()) + "\t"
                + base64.encodeToString(Certificates.der(certificate));
    }

    private String withToken(String id) throws IOException {
        DeviceRef ref = register(id);
        if (server.identity().issueEnrolmentToken(ref, Duration.ofHours(2), ACTOR)
                instanceof EnrolmentTokens.Issued.Token token) {
            return id + "\t" + token.secret();
        }
        throw new IOException("no token for " + id);
    }

    static KeyPair newKey() {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("EC", Crypto.provider());
            generator.initialize(new ECGenParameterSpec("secp256r1"));
            return generator.generateKeyPair();
        } catch (java.security.GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }
}
