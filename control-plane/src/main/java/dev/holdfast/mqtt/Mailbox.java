package dev.holdfast.mqtt;

import java.util.ArrayDeque;

/// Keeps acknowledgements in the order of the messages (MQTT-4.6.0-2), although some are committed later than
/// others.
///
/// Used on the connection's event loop only.
final class Mailbox {
    private final ArrayDeque<Slot> slots = new ArrayDeque<>();
    private final Sender sender;

    interface Sender {
        /// @param reason as in MQTT 5 section 3.4.2.1
        void acknowledge(int packetId, byte reason, String why);
    }

    /// The place of one message that is not decided yet.
    static final class Slot {
        private final int packetId;
        private boolean decided;
        private byte reason;
        private String why = "";

        private Slot(int packetId) {
            this.packetId = packetId;
        }
    }

    Mailbox(Sender sender) {
        this.sender = sender;
    }

    /// @param packetId 0 for a message without acknowledgement (QoS 0)
    Slot open(int packetId) {
        Slot slot = new Slot(packetId);
        slots.add(slot);
        return slot;
    }

    /// Decides a message, and acknowledges all that are decided before the first that is not.
    void decide(Slot slot, byte reason, String why) {
        slot.decided = true;
        slot.reason = reason;
        slot.why = why;
        Slot first;
        while ((first = slots.peek()) != null && first.decided) {
            slots.poll();
            acknowledge(first.packetId, first.reason, first.why);
        }
    }

    /// Acknowledges a message that is decided at once.
    void decided(int packetId, byte reason, String why) {
        if (slots.isEmpty()) {
            acknowledge(packetId, reason, why);
        } else if (packetId != 0) {
            decide(open(packetId), reason, why);
        }
    }

    private void acknowledge(int packetId, byte reason, String why) {
        if (packetId != 0) {
            sender.acknowledge(packetId, reason, why);
        }
    }

    /// How many messages are not decided, or wait behind one that is not.
    int waiting() {
        return slots.size();
    }
}
