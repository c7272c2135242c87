package dev.holdfast.response;

/// The number under which people speak of an incident.
public record IncidentId(long value) {
    @Override
    public String toString() {
        return Long.toString(value);
    }
}
