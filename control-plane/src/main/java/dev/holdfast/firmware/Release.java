package dev.holdfast.firmware;

import dev.holdfast.core.Environment;
import dev.holdfast.core.FirmwareVersion;
import dev.holdfast.core.ModelId;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/// A version of a model's firmware whose signature was verified when it was registered.
///
/// @param hardware the revisions it fits
/// @param securityCounter a device that has confirmed it never runs a lower one
/// @param irreversible declared so by the operator: its counter is above the model's floor, so there is no
/// way back
/// @param signedBy the id of the [SigningKey]
/// @param artifacts what a device downloads, in this order
/// @param registrar the person who answers for it, empty where none was named
/// @param notes what the operator wrote about it
public record Release(
        long id,
        Environment environment,
        ModelId model,
        FirmwareVersion version,
        List<String> hardware,
        long securityCounter,
        boolean irreversible,
        Format format,
        String signedBy,
        List<Artifact> artifacts,
        State state,
        String stateReason,
        String registrar,
        String notes,
        Instant registeredAt) {

    public Release {
        hardware = List.copyOf(hardware);
        artifacts = List.copyOf(artifacts);
    }

    public enum Format {
        MANIFEST,
        SWU;

        public String text() {
            return name().toLowerCase(Locale.ROOT);
        }

        public static Format of(String text) {
            return valueOf(text.toUpperCase(Locale.ROOT));
        }
    }

    public enum State {
        /// May be rolled out, unless it is irreversible.
        REGISTERED,
        /// An irreversible release that a person has approved.
        APPROVED,
        /// A rollout's gate failed: offered to nobody until a person reinstates it.
        HALTED,
        /// For good.
        WITHDRAWN;

        private static final Map<State, Set<State>> NEXT = Map.of(
                REGISTERED, Set.of(APPROVED, HALTED, WITHDRAWN),
                APPROVED, Set.of(HALTED, WITHDRAWN),
                HALTED, Set.of(REGISTERED, APPROVED, WITHDRAWN),
                WITHDRAWN, Set.of());

        public boolean mayBecome(State next) {
            return NEXT.getOrDefault(this, Set.of()).contains(next);
        }

        public String text() {
            return name().toLowerCase(Locale.ROOT);
        }

        public static State of(String text) {
            return valueOf(text.toUpperCase(Locale.ROOT));
        }
    }

    /// Whether a rollout may be started with it.
    public boolean mayBeRolledOut() {
        return state == State.APPROVED || (state == State.REGISTERED && !irreversible);
    }
}
