package dev.holdfast.api;

import dev.holdfast.telemetry.Telemetry;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryUsage;

/// `/metrics` in the Prometheus text format (version 0.0.4): the few numbers that say whether this node does well.
/// Nothing of it names a device or a person.
public final class MetricsText {
    private final Rooms rooms;
    private final StringBuilder out = new StringBuilder();

    public MetricsText(Rooms rooms) {
        this.rooms = rooms;
    }

    public String render() {
        gauge(
                "holdfast_sessions",
                "Live connections of devices on this node",
                rooms.sessions().count());
        gauge(
                "holdfast_devices_in_memory",
                "Devices whose standing this node knows",
                rooms.inventory().directory().size());
        counter(
                "holdfast_messages_total",
                "Messages of devices taken in",
                rooms.messageRate().total());
        gauge(
                "holdfast_journal_delivered",
                "Last journal entry seen by this node",
                rooms.journal().delivered());
        Telemetry.Fill fill = rooms.telemetry().fill();
        gauge("holdfast_observations_waiting", "Observations queued for the detectors", fill.waiting());
        gauge(
                "holdfast_observations_to_keep",
                "Log lines, events and reports not committed yet",
                fill.waitingToBeKept());
        counter("holdfast_observations_declined_total", "Declined because a queue was full", fill.declined());
        counter("holdfast_observations_dropped_total", "Values that found no room", fill.dropped());
        counter("holdfast_observations_failed_total", "Observations nobody could bear", fill.failed());
        gauge(
                "holdfast_frozen",
                "1 while no device is let in and nothing issued or offered, after a restore",
                rooms.freeze().isFrozen() ? 1 : 0);
        MemoryUsage heap = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage();
        gauge("jvm_memory_used_bytes", "Heap in use", heap.getUsed());
        gauge("jvm_memory_max_bytes", "Heap at most", heap.getMax());
        gauge(
                "jvm_threads",
                "Platform threads",
                ManagementFactory.getThreadMXBean().getThreadCount());
        gauge(
                "process_uptime_seconds",
                "Since the start",
                ManagementFactory.getRuntimeMXBean().getUptime() / 1_000.0);
        return out.toString();
    }

    private void gauge(String name, String help, Number value) {
        line(name, help, "gauge", value);
    }

    private void counter(String name, String help, Number value) {
        line(name, help, "counter", value);
    }

    private void line(String name, String help, String type, Number value) {
        out.append("# HELP ").append(name).append(' ').append(help).append('\n');
        out.append("# TYPE ").append(name).append(' ').append(type).append('\n');
        out.append(name).append(' ').append(value);
        out.append('\n');
    }
}
