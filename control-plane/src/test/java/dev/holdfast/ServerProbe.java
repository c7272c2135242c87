package dev.holdfast;

import dev.holdfast.ca.CertificateLifecycle;
import dev.holdfast.ca.RevocationReason;
import dev.holdfast.config.Configuration;
import dev.holdfast.core.Actor;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.core.Labels;
import dev.holdfast.core.ModelId;
import dev.holdfast.identity.EnrolmentTokens;
import dev.holdfast.identity.SharedSecrets;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.inventory.Model;
import dev.holdfast.profiles.CertificateProfile;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.rollout.RolloutWorkload;
import dev.holdfast.telemetry.LogQuery;
import dev.holdfast.telemetry.Observation;
import io.netty.util.internal.PlatformDependent;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/// The whole server in a process of its own, for tests that kill it, fill its disk or count what it holds. Says
/// its ports, then answers numbered questions, a line each ([ServerProcess#ask]). Ends when its input does.
public final class ServerProbe {
    /// The environment variable that says how far the server's clock is ahead.
    static final String AHEAD = "PROBE_AHEAD";

    private static final Environment ENVIRONMENT = new Environment("development");
    private static final ModelId MODEL = new ModelId("probe");
    private static final Instant END = Instant.parse("9999-01-01T00:00:00Z");
    private static final Actor ACTOR = new Actor.Holdfast("test");

    private ServerProbe() {}

    public static void main(String[] args) throws Exception {
        Configuration configuration = Configuration.load(Optional.empty(), System.getenv());
        Path data = Path.of(args[0]);
        Duration ahead = Duration.parse(System.getenv().getOrDefault(AHEAD, "PT0S"));
        InstantSource clock = () -> Instant.now().plus(ahead);
        try (Server server = Server.start(configuration, data, clock, new SecureRandom());
                BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            say("READY device=" + server.devicePort() + " mqtt=" + server.mqttPort() + " pki=" + server.pkiPort()
                    + " operator=" + server.operator().port() + " syslog="
                    + server.ingest().syslogPort() + " ipfix=" + server.ingest().ipfixPort());
            for (String line = input.readLine(); line != null; line = input.readLine()) {
                int space = line.indexOf(' ');
                say(line.substring(0, space) + " " + answer(server, data, line.substring(space + 1)));
            }
        }
    }

    private static String answer(Server server, Path data, String question) throws IOException {
        String[] words = question.split(" ", -1);
        return switch (words[0]) {
            case "token" -> token(server, words[1]); // registers the device, too
            case "certificates" ->
                Integer.toString(
                        server.identity().certificates(device(words[1])).size());
            case "standing" ->
                server.identity().certificates(device(words[1])).stream()
                        .map(c -> c.serial().hex() + "=" + c.state())
                        .collect(Collectors.joining(" "));
            case "secret" -> secret(server, words[1]);
            case "authorities" ->
                base64(server.ca().authorities().root().certificate()) + " "
                        + base64(server.ca().authorities().server().certificate());
            case "gateways" -> gateways(server);
            case "sweep" -> {
                server.cmp().sweep();
                yield "swept";
            }
            case "revoke" -> revoke(server, device(words[1]));
            case "admits" ->
                Boolean.toString(server.identity().certificates(device(words[1])).stream()
                        .anyMatch(c -> server.identity().stillAdmitted(device(words[1]), c.serial())));
            case "events" ->
                server.telemetry().events(device(words[1]), END, 10_000).stream()
                        .map(Observation.Event::name)
                        .collect(Collectors.joining(" "));
            case "lines" ->
                Integer.toString(server.telemetry()
                        .logs(new LogQuery(
                                ENVIRONMENT,
                                Optional.of(device(words[1]).id()),
                                Optional.empty(),
                                "",
                                Instant.EPOCH,
                                END,
                                Optional.empty(),
                                1_000))
                        .size());
            case "held" -> held(server);
            case "prepare" -> {
                new RolloutWorkload(server).prepare();
                yield "done";
            }
            case "roll" -> {
                new RolloutWorkload(server).start(Long.parseLong(words[1]));
                yield "begun";
            }
            case "verify" -> server.journal().verify().toString();
            case "fill" -> fill(data.resolveSibling("ballast"));
            case "free" -> Boolean.toString(Files.deleteIfExists(data.resolveSibling("ballast")));
            default -> throw new IllegalArgumentException(question);
        };
    }

    /// Every certificate of the device that counts.
    private static String revoke(Server server, DeviceRef device) {
        long revoked = server.identity().certificates(device).stream()
                .filter(c -> c.state().counts())
                .filter(c -> server.identity().revoke(c.serial(), RevocationReason.KEY_COMPROMISE, "stolen", ACTOR)
                        == CertificateLifecycle.Revocation.REVOKED)
                .count();
        return Long.toString(revoked);
    }

    private static DeviceRef device(String id) {
        return DeviceRef.of(ENVIRONMENT.value(), id);
    }

    /// Sessions, connections of the device plane, and octets in memory after what nobody holds was collected.
    private static String held(Server server) {
        System.gc();
        Runtime runtime = Runtime.getRuntime();
        return server.sessions().count() + " "
                + (server.plane().connections() + server.plane().watched()) + " "
                + (runtime.totalMemory() - runtime.freeMemory()) + " " + PlatformDependent.usedDirectMemory();
    }

    /// Takes all room that is left on the disk.
    private static String fill(Path ballast) throws IOException {
        byte[] piece = new byte[1 << 16];
        try (OutputStream out = Files.newOutputStream(ballast)) {
            while (true) {
                out.write(piece);
            }
        } catch (IOException full) {
            return "full after " + Files.size(ballast);
        }
    }

    private static void say(String line) {
        System.out.println(line);
        System.out.flush();
    }

    private static String base64(X509Certificate certificate) {
        return Base64.getEncoder().encodeToString(Certificates.der(certificate));
    }

    /// A profile of that name for ACME: names under gw.example.test.
    private static String gateways(Server server) {
        CertificateProfile usual = CertificateProfile.of(
                "gateway", CertificateProfile.Usage.TLS_SERVER, Duration.ofDays(30), Duration.ZERO);
        CertificateProfile profile = new CertificateProfile(
                usual.name(),
                usual.usages(),
                usual.keys(),
                usual.validity(),
                usual.rotation(),
                new CertificateProfile.Admittance(
                        usual.admittance().credentials(),
                        false,
                        false,
                        CertificateProfile.Attestation.NONE,
                        List.of("*.gw.example.test")));
        server.ca().profiles().put(ENVIRONMENT, profile, "for tests", ACTOR);
        return "put";
    }

    /// Of a device that is registered for it.
    private static String secret(Server server, String id) {
        return server.identity().issueSharedSecret(register(server, id), Duration.ofHours(1), ACTOR)
                        instanceof SharedSecrets.Issued.Secret secret
                ? secret.id() + " " + secret.secret()
                : "none";
    }

    private static DeviceRef register(Server server, String id) {
        if (server.inventory().model(ENVIRONMENT, MODEL).isEmpty()) {
            Model model = new Model(
                    ENVIRONMENT, MODEL, "probe", "hw-1", Duration.ofMinutes(1), Map.of(), List.of(), Map.of());
            server.inventory().putModel(model, ACTOR);
        }
        DeviceRef ref = device(id);
        server.inventory().register(new Inventory.Registration(ref, MODEL, Labels.NONE), ACTOR);
        return ref;
    }

    private static String token(Server server, String id) {
        DeviceRef ref = register(server, id);
        return server.identity().issueEnrolmentToken(ref, Duration.ofHours(1), ACTOR)
                        instanceof EnrolmentTokens.Issued.Token token
                ? token.secret()
                : "none";
    }
}
