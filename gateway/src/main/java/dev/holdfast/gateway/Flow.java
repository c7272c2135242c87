package dev.holdfast.gateway;

import java.time.Instant;

/// Traffic of one device to one destination within a short time, as this gateway saw it.
///
/// @param source the device's address
/// @param protocol `tcp` or `udp`
public record Flow(
        String source,
        Instant start,
        Instant end,
        String destination,
        int port,
        String protocol,
        long octets,
        long packets) {}
