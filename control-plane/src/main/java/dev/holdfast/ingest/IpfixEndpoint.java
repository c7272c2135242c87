package dev.holdfast.ingest;

import dev.holdfast.config.Configuration;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.protocol.ipfix.FlowRecord;
import dev.holdfast.protocol.ipfix.IpfixDecoder;
import dev.holdfast.protocol.ipfix.MalformedIpfixException;
import dev.holdfast.sessions.TokenBucket;
import dev.holdfast.telemetry.Observation;
import dev.holdfast.telemetry.Provenance;
import dev.holdfast.telemetry.Telemetry;
import dev.holdfast.tls.DevicePlane;
import io.vertx.core.Vertx;
import io.vertx.core.datagram.DatagramPacket;
import io.vertx.core.datagram.DatagramSocket;
import io.vertx.core.datagram.DatagramSocketOptions;
import java.io.IOException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;

/// IPFIX over UDP (`:4739`, RFC 7011). Anybody can send a datagram in anybody's name, so what comes here is claimed,
/// never observed, and can isolate nobody.
///
/// A flow is of the device that has its source address by the label `address`; flows of nobody are counted and left
/// out. One event loop reads; past a rate, datagrams are dropped, as UDP may.
final class IpfixEndpoint {
    private static final int MOST_EXPORTERS = 256;
    private static final int PER_SECOND = 2_000;

    private final Telemetry telemetry;
    private final AddressBook addresses;
    private final InstantSource clock;
    private final IngestCounts counts;
    private final TokenBucket rate = new TokenBucket(PER_SECOND, 2 * PER_SECOND, System.nanoTime());
    /// One for each transport session (RFC 7011 section 10.3.4); the event loop's.
    private final Map<String, IpfixDecoder> exporters = new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, IpfixDecoder> eldest) {
            return size() > MOST_EXPORTERS;
        }
    };

    IpfixEndpoint(Telemetry telemetry, AddressBook addresses, InstantSource clock, IngestCounts counts) {
        this.telemetry = telemetry;
        this.addresses = addresses;
        this.clock = clock;
        this.counts = counts;
    }

    /// @return the port that was bound
    /// @throws IOException when it can't be bound
    int listen(Vertx vertx, Configuration.Listener address) throws IOException {
        DatagramSocket socket = vertx.createDatagramSocket(new DatagramSocketOptions()
                .setReceiveBufferSize(1 << 20)
                .setIpV6(address.host().contains(":")));
        socket.handler(this::received);
        socket.exceptionHandler(_ -> counts.malformed.increment());
        try {
            return socket.listen(address.port(), address.host())
                    .await(20, TimeUnit.SECONDS)
                    .localAddress()
                    .port();
        } catch (Exception e) { // Vert.x throws what happened as it is, checked or not
            throw DevicePlane.notOpened("IPFIX", "ipfix", address, e);
        }
    }

    private void received(DatagramPacket packet) {
        if (!rate.take(1, System.nanoTime())) {
            counts.dropped.increment();
            return;
        }
        String exporter = packet.sender().hostAddress() + ":" + packet.sender().port();
        IpfixDecoder decoder = exporters.computeIfAbsent(exporter, _ -> new IpfixDecoder());
        Instant now = clock.instant();
        try {
            for (FlowRecord flow : decoder.decode(packet.data().getBytes())) {
                take(flow, packet, now);
            }
        } catch (MalformedIpfixException e) {
            counts.malformed.increment();
        }
    }

    private void take(FlowRecord flow, DatagramPacket packet, Instant now) {
        Optional<DeviceRef> device = addresses.find(flow.source());
        if (device.isEmpty()) {
            counts.ofNobody.increment();
            return;
        }
        DeviceRef observer = addresses
                .find(java.net.InetAddress.ofLiteral(packet.sender().hostAddress()))
                .orElse(device.get());
        Instant end = flow.end().isAfter(now) ? now : flow.end();
        boolean taken = telemetry.accept(new Observation.Flow(
                device.get(),
                now,
                Provenance.CLAIMED,
                observer,
                flow.start().isAfter(end) ? end : flow.start(),
                end,
                flow.destination().getHostAddress(),
                flow.destinationPort(),
                protocol(flow.protocol()),
                flow.octets(),
                flow.packets()));
        LongAdder which = taken ? counts.flows : counts.dropped;
        which.increment();
    }

    private static String protocol(int number) {
        return switch (number) {
            case 1 -> "icmp";
            case 6 -> "tcp";
            case 17 -> "udp";
            case 58 -> "ipv6-icmp";
            case 132 -> "sctp";
            default -> "ip-" + number;
        };
    }
}
