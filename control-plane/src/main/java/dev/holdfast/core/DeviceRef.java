package dev.holdfast.core;

/// A device in its environment: the key under which every room knows it.
public record DeviceRef(Environment environment, DeviceId id) {

    public static DeviceRef of(String environment, String id) {
        return new DeviceRef(new Environment(environment), new DeviceId(id));
    }

    /// `environment/id`
    @Override
    public String toString() {
        return environment.value() + "/" + id.value();
    }
}
