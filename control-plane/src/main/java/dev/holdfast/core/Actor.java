package dev.holdfast.core;

/// Who did it, for the journal.
public sealed interface Actor {
    /// A person, by the id of their account (never their name: the journal is for ever).
    record Operator(String accountId) implements Actor {}

    /// A script, by the id of its token.
    record Token(String tokenId) implements Actor {}

    /// A device, authenticated by its certificate or its enrolment credential.
    record Device(DeviceRef device) implements Actor {}

    /// Holdfast itself, by the room that decided.
    record Holdfast(String room) implements Actor {}

    /// `operator:ab12`, `token:cd34`, `device:development/meter-1`, `system:rollout`
    default String text() {
        return switch (this) {
            case Operator o -> "operator:" + o.accountId();
            case Token t -> "token:" + t.tokenId();
            case Device d -> "device:" + d.device();
            case Holdfast s -> "system:" + s.room();
        };
    }
}
