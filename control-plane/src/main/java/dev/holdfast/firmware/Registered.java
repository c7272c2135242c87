package dev.holdfast.firmware;

/// What became of the wish to register a release.
public sealed interface Registered {
    record Accepted(Release release) implements Registered {}

    /// The very same release was there already.
    record Exists(Release release) implements Registered {}

    record Refused(Reason reason, String detail) implements Registered {}

    /// Facts.
    enum Reason {
        SIGNATURE_NOT_VALID,
        NOT_A_MANIFEST,
        NOT_A_SWU,
        MODEL_UNKNOWN,
        MODEL_DIFFERS,
        HARDWARE_DOES_NOT_FIT,
        VERSION_DIFFERS,
        ARTIFACT_MISSING,
        ARTIFACT_DIFFERS,
        COUNTER_BELOW_FLOOR,
        COUNTER_RISES_BUT_NOT_DECLARED_IRREVERSIBLE,
        VERSION_ALREADY_REGISTERED
    }
}
