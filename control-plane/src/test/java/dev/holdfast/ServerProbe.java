package dev.holdfast;

import dev.holdfast.config.Configuration;
import dev.holdfast.core.Actor;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.core.Labels;
import dev.holdfast.core.ModelId;
import dev.holdfast.identity.EnrolmentTokens;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.inventory.Model;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The whole server in a process of its own, for tests that kill it or count what it holds. Says its ports, then obeys
/// lines: `token ID` registers a device and prints its token, `certificates ID` prints how many it has, `verify` what
/// the journal's check says. Ends when its input does.
public final class ServerProbe {
    private static final Environment ENVIRONMENT = new Environment("development");
    private static final ModelId MODEL = new ModelId("probe");
    private static final Actor ACTOR = new Actor.Holdfast("test");

    private ServerProbe() {}

    public static void main(String[] args) throws Exception {
        Configuration configuration = Configuration.load(Optional.empty(), System.getenv());
        try (Server server = Server.start(configuration, Path.of(args[0]), InstantSource.system(), new SecureRandom());
                BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            say("READY device=" + server.devicePort() + " mqtt=" + server.mqttPort() + " pki=" + server.pkiPort()
                    + " operator=" + server.operator().port() + " syslog="
                    + server.ingest().syslogPort());
            for (String line = input.readLine(); line != null; line = input.readLine()) {
                String[] words = line.split(" ", -1);
                switch (words[0]) {
                    case "token" -> say("token " + words[1] + " " + token(server, words[1]));
                    case "certificates" ->
                        say("certificates " + words[1] + " "
                                + server.identity()
                                        .certificates(DeviceRef.of(ENVIRONMENT.value(), words[1]))
                                        .size());
                    case "verify" -> say("verify " + server.journal().verify());
                    default -> throw new IllegalArgumentException(line);
                }
            }
        }
    }

    private static void say(String line) {
        System.out.println(line);
        System.out.flush();
    }

    private static String token(Server server, String id) {
        if (server.inventory().model(ENVIRONMENT, MODEL).isEmpty()) {
            Model model = new Model(
                    ENVIRONMENT, MODEL, "probe", "hw-1", Duration.ofMinutes(1), Map.of(), List.of(), Map.of());
            server.inventory().putModel(model, ACTOR);
        }
        DeviceRef ref = DeviceRef.of(ENVIRONMENT.value(), id);
        server.inventory().register(new Inventory.Registration(ref, MODEL, Labels.NONE), ACTOR);
        return server.identity().issueEnrolmentToken(ref, Duration.ofHours(1), ACTOR)
                        instanceof EnrolmentTokens.Issued.Token token
                ? token.secret()
                : "none";
    }
}
