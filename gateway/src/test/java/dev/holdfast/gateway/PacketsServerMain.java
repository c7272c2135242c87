package dev.holdfast.gateway;

import dev.holdfast.Server;
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
import dev.holdfast.response.Action;
import dev.holdfast.response.Response;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// The real server of [RealPacketsTest], in the gateway's namespace: it knows a gateway and a meter behind it,
/// and says what becomes of the meter.
public final class PacketsServerMain {
    static final String GATEWAY = "gw-1";
    private static final Environment ENVIRONMENT = new Environment("development");
    private static final Actor TESTER = new Actor.Holdfast("test");

    private PacketsServerMain() {}

    /// @param arguments a folder, the meter's address, the address it may talk to (at a port it does not use)
    public static void main(String[] arguments) throws Exception {
        Path folder = Path.of(arguments[0]);
        Map<String, String> settings = new TreeMap<>();
        for (String listener : List.of("OPERATOR", "DEVICE", "CHANNEL_BOUND", "MQTT", "PKI", "SYSLOG", "IPFIX")) {
            settings.put("HOLDFAST_LISTENERS_" + listener + "_PORT", "0");
            settings.put("HOLDFAST_LISTENERS_" + listener + "_HOST", "127.0.0.1");
        }
        Server server = Server.start(
                Configuration.load(Optional.empty(), settings),
                folder.resolve("data"),
                InstantSource.system(),
                new SecureRandom());
        Runtime.getRuntime().addShutdownHook(new Thread(server::close));
        DeviceRef meter = prepare(server, arguments[1], arguments[2]);
        Files.writeString(
                folder.resolve("ca.pem"),
                Certificates.pem(server.ca().authorities().root().certificate()));
        DeviceRef gateway = DeviceRef.of(ENVIRONMENT.value(), GATEWAY);
        EnrolmentTokens.Issued issued = server.identity().issueEnrolmentToken(gateway, Duration.ofHours(1), TESTER);
        say("ready " + server.devicePort() + " " + server.mqttPort() + " "
                + ((EnrolmentTokens.Issued.Token) issued).secret());
        boolean told = false;
        while (true) {
            Optional<Response.Case> incident =
                    server.response().incidents(ENVIRONMENT, true, Optional.of(meter), Long.MAX_VALUE, 1).stream()
                            .filter(one -> one.actions().stream().anyMatch(Action::isInForce))
                            .findFirst();
            if (incident.isPresent()) {
                if (!told) {
                    say("isolated " + micros() + " " + incident.get().incident().provenance());
                    told = true;
                }
                Action action = incident.get().actions().getFirst();
                if (action.legs().network().state() == Action.Leg.State.ENFORCED) {
                    say("enforced " + micros());
                    return;
                }
            }
            Thread.sleep(5);
        }
    }

    private static DeviceRef prepare(Server server, String meterAddress, String destination) {
        Inventory inventory = server.inventory();
        ModelId gateways = new ModelId("gateway");
        ModelId meters = new ModelId("meter");
        inventory.putModel(
                new Model(ENVIRONMENT, gateways, "Acme", "rev-a", Duration.ofMinutes(5), Map.of(), List.of(), Map.of()),
                TESTER);
        inventory.putModel(
                new Model(
                        ENVIRONMENT,
                        meters,
                        "Acme",
                        "rev-a",
                        Duration.ofMinutes(5),
                        Map.of(),
                        List.of(new Model.AllowedFlow(destination + "/32", "tcp", 8883)),
                        Map.of()),
                TESTER);
        DeviceRef gateway = DeviceRef.of(ENVIRONMENT.value(), GATEWAY);
        inventory.register(
                new Inventory.Registration(gateway, gateways, new Labels(Map.of("role", "gateway"))), TESTER);
        DeviceRef meter = DeviceRef.of(ENVIRONMENT.value(), "m-1");
        inventory.register(
                new Inventory.Registration(
                        meter,
                        meters,
                        new Labels(Map.of("address", meterAddress)),
                        Optional.of(gateway.id()),
                        Lifecycle.ACTIVE),
                TESTER);
        return meter;
    }

    private static long micros() {
        return System.nanoTime() / 1000;
    }

    private static void say(String line) {
        System.out.println(line);
        System.out.flush();
    }
}
