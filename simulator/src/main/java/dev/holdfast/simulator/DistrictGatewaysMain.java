package dev.holdfast.simulator;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.agent.AgentSettings;
import dev.holdfast.agent.DeviceIdentity;
import dev.holdfast.agent.Hardware;
import dev.holdfast.agent.MemoryDeviceStore;
import dev.holdfast.agent.Route;
import dev.holdfast.agent.Target;
import dev.holdfast.gateway.Gateway;
import dev.holdfast.gateway.GatewaySettings;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CountDownLatch;

/// The gateways of the districts, in a process of their own: never that of a meter, hostile or not. Each is the
/// gateway program itself, with an identity of its own.
public final class DistrictGatewaysMain {
    private DistrictGatewaysMain() {}

    /// @param arguments a JSON file: `https`, `mqtt`, `tenant`, `ca` (PEM file),
    ///     `gateways[]` of `id` and `idevid` (PEM file)
    public static void main(String[] arguments) throws Exception {
        PrintStream out = System.out;
        JsonNode configuration = OperatorClient.parse(Files.readString(Path.of(arguments[0])));
        List<X509Certificate> anchors = DeviceIdentity.certificatesFromPem(
                Files.readAllBytes(Path.of(configuration.path("ca").asText())));
        MultiThreadIoEventLoopGroup own = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
        MultiThreadIoEventLoopGroup relaying = new MultiThreadIoEventLoopGroup(2, NioIoHandler.newFactory());
        SecureRandom random = new SecureRandom();
        List<Gateway> running = new ArrayList<>();
        for (JsonNode each : configuration.path("gateways")) {
            String id = each.path("id").asText();
            DeviceIdentity made = DeviceIdentity.fromPem(
                    Files.readAllBytes(Path.of(each.path("idevid").asText())));
            AgentSettings agent = new AgentSettings(
                    id,
                    new Hardware(CityPlan.GATEWAY_MODEL, CityPlan.HARDWARE),
                    Target.parse(configuration.path("https").asText(), 8443),
                    Target.parse(configuration.path("mqtt").asText(), 8883),
                    configuration.path("tenant").asText(),
                    Route.DIRECT,
                    anchors,
                    List.of(),
                    Optional.of(new AgentSettings.Credential.Manufacturer(made)),
                    Duration.ofSeconds(10),
                    AgentSettings.Pace.ordinary());
            GatewaySettings settings = new GatewaySettings(
                    agent,
                    Optional.of(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0)),
                    false,
                    OptionalInt.empty(),
                    Optional.empty());
            Gateway gateway = Gateway.start(
                    settings,
                    new MemoryDeviceStore(),
                    (EventLoop) own.next(),
                    relaying,
                    InstantSource.system(),
                    random,
                    line -> out.println(id + " " + line));
            running.add(gateway);
            out.println("relay " + id + " " + gateway.relayPort());
        }
        out.println("all " + running.size() + " gateways run");
        new CountDownLatch(1).await();
    }
}
