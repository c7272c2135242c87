package dev.holdfast.mqtt;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.FirmwareVersion;
import dev.holdfast.telemetry.Acknowledgement;
import dev.holdfast.telemetry.Observation;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Takes one connection's messages in, and acknowledges each when what its acknowledgement says is true: a
/// measurement when it is in memory, everything else when it is committed.
///
/// When something is full the message is held, the socket is not read on, and nothing else of this connection is
/// looked at until it could be handed over; other connections do not notice.
final class Intake {
    private static final Logger LOG = LoggerFactory.getLogger(Intake.class);
    private static final int MOST_UNDECIDED = 48;
    private static final Duration AGAIN = Duration.ofMillis(20);

    private final MqttRooms rooms;
    private final DeviceRef device;
    private final Wire wire;
    private final Mailbox mailbox;
    private final Consumer<String> broken;
    private boolean stalled;
    private boolean crowded;
    private boolean closed;

    /// @param broken called when something could not be kept, with what to tell the device
    Intake(MqttRooms rooms, DeviceRef device, Wire wire, Mailbox mailbox, Consumer<String> broken) {
        this.rooms = rooms;
        this.device = device;
        this.wire = wire;
        this.mailbox = mailbox;
        this.broken = broken;
    }

    /// @param packetId 0 for QoS 0
    void take(UpTopic topic, byte[] payload, int packetId) throws MalformedMessageException {
        Instant now = rooms.clock().instant();
        rooms.counts().messages(topic).increment();
        switch (topic) {
            case TELEMETRY -> measure(MessageCodec.telemetry(device, payload, now), 0, packetId);
            case LOG -> keep(MessageCodec.log(device, payload, now), packetId, () -> {});
            case CONFIG -> {
                MessageCodec.Reported reported = MessageCodec.config(device, payload, now);
                keep(
                        reported.report(),
                        packetId,
                        () -> reported.revision()
                                .ifPresent(r -> rooms.delivery().applied(device, r)));
            }
            case EVENT -> {
                Observation.Event event = MessageCodec.event(device, payload, now);
                Optional<FirmwareVersion> firmware = BootReports.firmware(event);
                if (firmware.isPresent()) {
                    Acknowledgement answer = answer(packetId, () -> {});
                    handOver(() -> rooms.boots().keep(event, firmware.get(), answer));
                } else {
                    keep(event, packetId, () -> {});
                }
            }
        }
    }

    private void measure(List<Observation.Measurement> measurements, int from, int packetId) {
        for (int i = from; i < measurements.size(); i++) {
            if (!rooms.telemetry().accept(measurements.get(i))) {
                int next = i;
                stall();
                rooms.telemetry()
                        .whenRoom(device, () -> wire.later(() -> again(() -> measure(measurements, next, packetId))));
                return;
            }
        }
        mailbox.decided(packetId, Replies.OK, "");
    }

    private void keep(Observation.Kept kept, int packetId, Runnable whenCommitted) {
        Acknowledgement answer = answer(packetId, whenCommitted);
        handOver(() -> rooms.telemetry().keep(kept, answer));
    }

    private void handOver(BooleanSupplier offer) {
        if (!offer.getAsBoolean()) {
            stall();
            wire.after(AGAIN, () -> again(() -> handOver(offer)));
        }
    }

    private Acknowledgement answer(int packetId, Runnable whenCommitted) {
        Mailbox.Slot slot = mailbox.open(packetId);
        crowd();
        return new Acknowledgement() {
            @Override
            public void committed() {
                wire.later(() -> {
                    if (!closed) {
                        whenCommitted.run();
                        mailbox.decide(slot, Replies.OK, "");
                        crowd();
                    }
                });
            }

            @Override
            public void failed(RuntimeException why) {
                LOG.warn("a message of {} could not be kept: {}", device, why.toString());
                wire.later(() -> {
                    if (!closed) {
                        broken.accept("the message could not be kept; send it again");
                    }
                });
            }
        };
    }

    /// Stops reading while too many of this connection's messages are undecided.
    private void crowd() {
        boolean now = mailbox.waiting() >= MOST_UNDECIDED;
        if (now != crowded) {
            crowded = now;
            read();
        }
    }

    private void stall() {
        rooms.counts().stalls.increment();
        stalled = true;
        read();
    }

    /// What was held goes first: reading on delivers what had arrived behind it there and then.
    private void again(Runnable held) {
        if (!closed) {
            stalled = false;
            held.run();
            read();
        }
    }

    private void read() {
        if (stalled || crowded) {
            wire.stopReading();
        } else {
            wire.readOn();
        }
    }

    /// Whether it is we who keep the device from being heard.
    boolean isStalled() {
        return stalled || crowded;
    }

    /// The will of a session that has ended: nobody waits for an answer.
    void lastWords(ConnectPolicy.Will will) {
        try {
            Instant now = rooms.clock().instant();
            boolean taken = switch (will.topic()) {
                case TELEMETRY ->
                    MessageCodec.telemetry(device, will.payload(), now).stream().allMatch(rooms.telemetry()::accept);
                case LOG -> rooms.telemetry().accept(MessageCodec.log(device, will.payload(), now));
                case CONFIG ->
                    rooms.telemetry()
                            .accept(MessageCodec.config(device, will.payload(), now)
                                    .report());
                case EVENT -> rooms.telemetry().accept(MessageCodec.event(device, will.payload(), now));
            };
            if (!taken) {
                LOG.warn("the will of {} found no room", device);
            }
        } catch (MalformedMessageException e) {
            LOG.debug("the will of {} is malformed: {}", device, e.getMessage());
        }
    }

    void close() {
        closed = true;
    }
}
