package dev.holdfast.firmware;

/// What became of an upload.
public sealed interface Stored {
    record Done(Artifact artifact) implements Stored {}

    record TooLarge(long most) implements Stored {}

    record NoSpace(String detail) implements Stored {}

    /// The stream broke off, was empty, or held something else than announced.
    record Broken(String detail) implements Stored {}
}
