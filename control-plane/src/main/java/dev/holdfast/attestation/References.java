package dev.holdfast.attestation;

import dev.holdfast.core.Actor;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.core.FirmwareVersion;
import dev.holdfast.core.ModelId;
import dev.holdfast.database.Database;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.journal.Entry;
import dev.holdfast.journal.Journal;
import dev.holdfast.journal.Transaction;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jooq.DSLContext;

/// Which values the PCRs of a model's devices may have. Set by operators for a model, by an operator for one
/// device, or by the device's own first quote.
public final class References {
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9 ._+-]{0,63}");
    private static final Pattern REGISTER = Pattern.compile("sha(1|256|384|512):(\\d|1\\d|2[0-3])");
    private static final Pattern VALUE = Pattern.compile("[0-9a-f]{40,128}");
    private static final int MOST = 200;
    private final Database database;
    private final Journal journal;

    /// @param references oldest first; those of the same name and values keep their place
    public record ModelReferences(PcrPolicy policy, List<Wish> references) {
        public ModelReferences {
            references = List.copyOf(references);
            if (references.size() > MOST) {
                throw new IllegalArgumentException("more than " + MOST + " references");
            }
        }
    }

    /// @param firmware the version that boots to these values, where it is known
    /// @param values `sha256:7` to its digest in lower-case hexadecimal
    public record Wish(
            String name, Optional<FirmwareVersion> firmware, Map<String, String> values, boolean superseded) {
        public Wish {
            values = Map.copyOf(values);
            if (!NAME.matcher(name).matches()) {
                throw new IllegalArgumentException("a reference's name is letters, digits, ' ._+-', at most 64");
            }
            if (values.isEmpty()) {
                throw new IllegalArgumentException("reference " + name + " names no register");
            }
            values.forEach((register, value) -> {
                if (!REGISTER.matcher(register).matches()
                        || !VALUE.matcher(value).matches()) {
                    throw new IllegalArgumentException(
                            "reference " + name + ": registers are written as sha256:7, values in lower-case hex");
                }
            });
        }
    }

    References(Database database, Journal journal) {
        this.database = database;
        this.journal = journal;
    }

    public PcrPolicy policy(Environment environment, ModelId model) {
        return database.read(sql -> policy(sql, environment, model));
    }

    private static PcrPolicy policy(DSLContext sql, Environment environment, ModelId model) {
        return ReferenceStore.policy(sql, environment, model).orElse(PcrPolicy.USUAL);
    }

    static PcrPolicy policy(Transaction tx, Environment environment, ModelId model) {
        return policy(tx.sql(), environment, model);
    }

    /// The model's, oldest first.
    public List<PcrReference> ofModel(Environment environment, ModelId model) {
        return database.read(sql -> ReferenceStore.ofModel(sql, environment, model));
    }

    /// The device's own, oldest first.
    public List<PcrReference> ofDevice(DeviceRef device) {
        return database.read(sql -> ReferenceStore.ofDevice(sql, device));
    }

    /// Sets how a model's devices are judged. What is left out of the list counts as superseded; what comes
    /// back into force is approved anew, so that it is later than what replaced it.
    public void put(Environment environment, ModelId model, ModelReferences wanted, String reason, Actor actor) {
        journal.run(tx -> {
            ReferenceStore.putPolicy(tx.sql(), environment, model, wanted.policy(), tx.now());
            List<PcrReference> known = ReferenceStore.ofModel(tx.sql(), environment, model);
            for (PcrReference old : known) {
                boolean stays = find(wanted.references(), old)
                        .filter(w -> !w.superseded())
                        .isPresent();
                if (!old.superseded() && !stays) {
                    ReferenceStore.supersede(tx.sql(), old.generation());
                }
            }
            for (Wish wish : wanted.references()) {
                List<PcrReference> same =
                        known.stream().filter(r -> isSame(wish, r)).toList();
                boolean inForce = same.stream().anyMatch(r -> !r.superseded());
                if (same.isEmpty() || (!wish.superseded() && !inForce)) {
                    ReferenceStore.insertForModel(tx.sql(), environment, model, wish, tx.now());
                } else {
                    same.forEach(r -> ReferenceStore.setFirmware(tx.sql(), r.generation(), wish.firmware()));
                }
            }
            tx.record(new Entry(
                    "tpm.references-set",
                    environment,
                    "model:" + model,
                    actor,
                    reason,
                    Map.of(
                            "pcrs", wanted.policy().selection().text(),
                            "firstUse", wanted.policy().firstUse(),
                            "every",
                                    wanted.policy()
                                            .every()
                                            .map(Object::toString)
                                            .orElse(""),
                            "inForce", names(wanted, false),
                            "superseded", names(wanted, true))));
        });
    }

    private static List<String> names(ModelReferences wanted, boolean superseded) {
        return wanted.references().stream()
                .filter(w -> w.superseded() == superseded)
                .map(Wish::name)
                .toList();
    }

    private static Optional<Wish> find(List<Wish> wishes, PcrReference reference) {
        return wishes.stream().filter(w -> isSame(w, reference)).findFirst();
    }

    private static boolean isSame(Wish wish, PcrReference reference) {
        return wish.name().equals(reference.name()) && reference.isSameAs(wish.values());
    }

    /// Takes what the device had first for good.
    static void pin(Transaction tx, DeviceRef device, Map<String, String> values) {
        ReferenceStore.insertForDevice(tx.sql(), device, PcrReference.Origin.FIRST_USE, "first use", values, tx.now());
        tx.record(new Entry(
                "tpm.reference-pinned",
                device.environment(),
                Inventory.subject(device),
                new Actor.Holdfast("attestation"),
                "the device was seen for the first time, and its model has no reference values",
                Map.of("values", values)));
    }

    /// An operator approves what a device has: it replaces what was approved for it before.
    static void approve(Transaction tx, DeviceRef device, Map<String, String> values, String reason, Actor actor) {
        ReferenceStore.ofDevice(tx.sql(), device).stream()
                .filter(r -> !r.superseded())
                .forEach(r -> ReferenceStore.supersede(tx.sql(), r.generation()));
        ReferenceStore.insertForDevice(
                tx.sql(),
                device,
                PcrReference.Origin.DEVICE,
                "approved "
                        + tx.now()
                                .truncatedTo(java.time.temporal.ChronoUnit.SECONDS)
                                .toString()
                                .replace(":", ""),
                values,
                tx.now());
        tx.record(new Entry(
                "tpm.reference-approved",
                device.environment(),
                Inventory.subject(device),
                actor,
                reason,
                Map.of("values", values)));
    }
}
