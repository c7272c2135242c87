package dev.holdfast.agent;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Optional;

/// How the device reaches the world: directly, or through the proxy of its gateway.
///
/// @param via an HTTP CONNECT proxy (RFC 9110 section 9.3.6)
/// @param from the local address to speak from, where the device has several
public record Route(Optional<InetSocketAddress> via, Optional<InetAddress> from) {
    public static final Route DIRECT = new Route(Optional.empty(), Optional.empty());
}
