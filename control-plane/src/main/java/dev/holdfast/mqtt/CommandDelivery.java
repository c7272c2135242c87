package dev.holdfast.mqtt;

import dev.holdfast.commands.Commands;
import dev.holdfast.commands.Desired;
import dev.holdfast.core.DeviceRef;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Brings desired state to connections: when they subscribe, and when it changes, on whichever node that was
/// decided.
final class CommandDelivery {
    private static final Logger LOG = LoggerFactory.getLogger(CommandDelivery.class);
    private final Commands commands;
    private final Semaphore atOnce = new Semaphore(4);

    CommandDelivery(Commands commands, Presences presences) {
        this.commands = commands;
        commands.onChange(device -> presences.open(device).forEach(MqttConnection::desiredChanged));
    }

    /// Reads the device's desired state off the event loop and hands it over, empty where there is none.
    ///
    /// @param failed runs instead when it can't be read now
    void fetch(DeviceRef device, Consumer<Optional<Desired>> to, Runnable failed) {
        var _ = Thread.ofVirtual().name("command-fetch").start(() -> {
            atOnce.acquireUninterruptibly();
            try {
                to.accept(commands.desired(device));
            } catch (RuntimeException e) {
                LOG.warn("the desired state of {} can't be read now: {}", device, e.toString());
                failed.run();
            } finally {
                atOnce.release();
            }
        });
    }

    void delivered(DeviceRef device, long revision) {
        commands.delivered(device, revision);
    }

    void applied(DeviceRef device, long revision) {
        commands.applied(device, revision);
    }
}
