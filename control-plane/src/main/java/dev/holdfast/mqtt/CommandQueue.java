package dev.holdfast.mqtt;

import dev.holdfast.commands.Desired;
import dev.holdfast.core.DeviceRef;
import io.netty.handler.codec.mqtt.MqttQoS;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One connection's way down: what was sent on `cmd` and not acknowledged yet, and whether there is news to
/// fetch.
///
/// Desired state is the whole of it, so what is skipped while the client is slow is made up by the next one
/// sent. Used
/// on the connection's event loop only.
final class CommandQueue {
    private static final Logger LOG = LoggerFactory.getLogger(CommandQueue.class);
    private static final int MOST_UNACKNOWLEDGED = 16;
    private static final Duration RETRY = Duration.ofSeconds(2);

    private final DeviceRef device;
    private final String topic;
    private final Wire wire;
    private final MqttRooms rooms;
    private final int window;
    private final long maximumPacket;
    private final Map<Integer, Long> unacknowledged = new HashMap<>(4);
    private int lastPacketId;
    private long lastSent;
    private boolean subscribed;
    private MqttQoS qos = MqttQoS.AT_MOST_ONCE;
    private boolean fetching;
    private boolean stale;
    private boolean closed;

    /// @param window what may be unacknowledged at once, as the client asked
    /// @param maximumPacket 0 for no limit
    CommandQueue(DeviceRef device, String topic, Wire wire, MqttRooms rooms, int window, long maximumPacket) {
        this.device = device;
        this.topic = topic;
        this.wire = wire;
        this.rooms = rooms;
        this.window = Math.min(window, MOST_UNACKNOWLEDGED);
        this.maximumPacket = maximumPacket;
    }

    /// @param sendNow whether the present state is sent, as a retained message would be
    void subscribe(MqttQoS granted, boolean sendNow) {
        subscribed = true;
        qos = granted;
        if (sendNow) {
            lastSent = 0;
            fetch(true);
        }
    }

    boolean isSubscribed() {
        return subscribed;
    }

    void unsubscribe() {
        subscribed = false;
    }

    void changed() {
        if (subscribed) {
            fetch(false);
        }
    }

    void acknowledged(int packetId) {
        Long revision = unacknowledged.remove(packetId);
        if (revision != null) {
            rooms.delivery().delivered(device, revision);
            if (stale) {
                fetch(false);
            }
        }
    }

    void close() {
        closed = true;
        subscribed = false;
    }

    private void fetch(boolean retained) {
        if (fetching || unacknowledged.size() >= window) {
            stale = true;
            return;
        }
        fetching = true;
        stale = false;
        rooms.delivery()
                .fetch(
                        device,
                        desired -> wire.later(() -> fetched(desired, retained)),
                        () -> wire.after(RETRY, () -> {
                            fetching = false;
                            fetch(retained);
                        }));
    }

    private void fetched(Optional<Desired> desired, boolean retained) {
        fetching = false;
        if (closed || !subscribed) {
            return;
        }
        if (desired.isPresent() && desired.get().revision() > lastSent) {
            send(desired.get(), retained);
        }
        if (stale) {
            fetch(false);
        }
    }

    private void send(Desired desired, boolean retained) {
        byte[] message = desired.message();
        if (maximumPacket > 0 && message.length + topic.length() + 16 > maximumPacket) {
            LOG.warn("revision {} of {} is larger than the device takes", desired.revision(), device);
            return;
        }
        lastSent = desired.revision();
        int packetId = 0;
        if (qos == MqttQoS.AT_LEAST_ONCE) {
            packetId = nextPacketId();
            unacknowledged.put(packetId, desired.revision());
        }
        rooms.counts().commandsSent.increment();
        wire.send(Replies.publish(topic, packetId, qos, retained, message));
    }

    private int nextPacketId() {
        do {
            lastPacketId = lastPacketId % 65_535 + 1;
        } while (unacknowledged.containsKey(lastPacketId));
        return lastPacketId;
    }
}
