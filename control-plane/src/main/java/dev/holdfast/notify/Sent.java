package dev.holdfast.notify;

/// What became of one attempt.
sealed interface Sent {
    record Accepted() implements Sent {}

    /// The receiver is away or overloaded: nothing else will reach it now either.
    record Away(String why) implements Sent {}

    /// The receiver is there and failed, perhaps over this message alone.
    record Failed(String why) implements Sent {}

    /// The receiver is there and does not want this message.
    record Rejected(String why) implements Sent {}
}
