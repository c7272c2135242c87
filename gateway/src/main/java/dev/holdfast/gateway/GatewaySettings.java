package dev.holdfast.gateway;

import dev.holdfast.agent.AgentSettings;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;

/// How one gateway is set up.
///
/// @param agent its life as a device
/// @param relay where devices find its HTTP CONNECT proxy
/// @param nft whether it enforces with nftables in the network namespace it runs in
/// @param netflow the UDP port on loopback where an exporter on this host sends flows
/// @param softflowd the control socket of that exporter, where it is softflowd
public record GatewaySettings(
        AgentSettings agent,
        Optional<InetSocketAddress> relay,
        boolean nft,
        OptionalInt netflow,
        Optional<Path> softflowd) {}
