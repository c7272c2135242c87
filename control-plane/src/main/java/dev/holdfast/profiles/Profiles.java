package dev.holdfast.profiles;

import dev.holdfast.core.Actor;
import dev.holdfast.core.Environment;
import dev.holdfast.database.Database;
import dev.holdfast.journal.Entry;
import dev.holdfast.journal.Journal;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// The certificate profiles of each environment: `device`, which is there from the start and can be changed,
/// and those that operators set. In memory on every node; the journal brings the news of changes.
///
/// A profile is never removed, because certificates name the one they were made by; it can be closed by taking
/// away its credentials' use, and a renewal goes on by the profile of the certificate that is renewed.
public final class Profiles {
    public static final String DEVICE = "device";

    private final Database database;
    private final Journal journal;
    private final CertificateProfile device;
    private volatile Map<Environment, Map<String, CertificateProfile>> stored = Map.of();

    /// @param device what `device` is like where nobody has set it
    public Profiles(Database database, Journal journal, CertificateProfile device) {
        this.database = database;
        this.journal = journal;
        this.device = device;
        journal.obey(entry -> {
            if (entry.content().contains("\"kind\":\"profile.")) {
                reload();
            }
        });
        reload();
    }

    private void reload() {
        stored = database.read(ProfileStore::all);
    }

    public Optional<CertificateProfile> find(Environment environment, String name) {
        CertificateProfile set = stored.getOrDefault(environment, Map.of()).get(name);
        return set != null ? Optional.of(set) : name.equals(DEVICE) ? Optional.of(device) : Optional.empty();
    }

    /// In the order of their names.
    public List<CertificateProfile> all(Environment environment) {
        Map<String, CertificateProfile> all = new TreeMap<>(stored.getOrDefault(environment, Map.of()));
        all.putIfAbsent(DEVICE, device);
        return List.copyOf(all.values());
    }

    /// Sets what certificates of this name are like from now on; issued ones stay as they are.
    ///
    /// @return whether it is a new one
    public boolean put(Environment environment, CertificateProfile profile, String reason, Actor actor) {
        boolean fresh = find(environment, profile.name()).isEmpty();
        journal.run(tx -> {
            ProfileStore.put(tx.sql(), environment, profile, tx.now());
            tx.record(new Entry(
                    "profile.set",
                    environment,
                    "profile:" + profile.name(),
                    actor,
                    reason,
                    Map.of("profile", ProfileText.write(profile))));
        });
        reload();
        return fresh;
    }
}
