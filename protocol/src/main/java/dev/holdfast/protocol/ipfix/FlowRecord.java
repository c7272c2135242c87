package dev.holdfast.protocol.ipfix;

import java.net.InetAddress;
import java.time.Instant;

/// One flow as an exporter summarised it.
///
/// @param sourcePort 0 where the protocol has none
/// @param protocol the number of RFC 5237: 6 TCP, 17 UDP, 1 ICMP
/// @param start the time of export where the exporter gives none that we can read
/// @param octets non-negative
public record FlowRecord(
        InetAddress source,
        int sourcePort,
        InetAddress destination,
        int destinationPort,
        int protocol,
        Instant start,
        Instant end,
        long octets,
        long packets) {}
