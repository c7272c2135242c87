package dev.holdfast.revocation;

import dev.holdfast.ca.Authorities;
import dev.holdfast.ca.Authority;
import dev.holdfast.ca.ListName;
import dev.holdfast.database.Database;
import dev.holdfast.journal.Journal;
import dev.holdfast.protocol.crl.RevocationListFrame;
import dev.holdfast.protocol.x509.Certificates;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/// Certificate revocation lists (RFC 5280 section 5). What one revocation costs does not grow with the
/// number revoked:
///
/// - a certificate names the list of its *part*, which holds 1,024 certificates at most; that list is made
///   when asked for and something has changed since;
/// - a *delta* (section 5.2.4) holds what has changed lately, of a part or of everything;
/// - the list of *everything* an authority has revoked is made on a schedule, and sooner only while that
/// takes no time.
///
/// Numbers come from time and from the node, so they only grow, whichever node makes a list and whatever
/// backup was restored, and no two lists have the same.
public final class RevocationLists {
    /// A list that is larger (of some 20,000 entries) is made on the schedule alone. By size and not by how long
    /// it took: a small one may take long once, because the machine had other things to do, and must not be out
    /// of date for hours for that.
    private static final long LARGE_OCTETS = 1 << 20;
    /// Of its time a list that keeps changing may take a twentieth.
    private static final int SHARE = 20;
    /// Commits in flight when a base was made, and clocks of nodes that differ: a delta says what happened
    /// in this time again, which does no harm.
    private static final Duration MARGIN = Duration.ofMinutes(10);
    private static final int MOST_KEPT = 512;
    private static final int NODE_BITS = 10;

    private final Database database;
    private final Authorities authorities;
    private final RevocationListStore store;
    private final Duration lifetime;
    private final InstantSource clock;
    private final int node;
    private final List<String> urls;
    private final AtomicLong changes = new AtomicLong();
    private final AtomicLong lastNumber = new AtomicLong();
    private final Map<ListName, Made> made = new ConcurrentHashMap<>();
    private volatile long lastPart;

    /// @param settings the URLs' base, the lifetime, and the node's name
    RevocationLists(
            Database database,
            Journal journal,
            Authorities authorities,
            RevocationListStore store,
            Settings settings,
            InstantSource clock) {
        this.database = database;
        this.authorities = authorities;
        this.store = store;
        this.lifetime = settings.lifetime();
        this.clock = clock;
        this.node = settings.node().hashCode() & ((1 << NODE_BITS) - 1);
        this.urls = List.copyOf(
                database.<List<String>>transact(sql -> RevocationStore.urls(sql, settings.url(), clock.instant())));
        journal.subscribe(entry -> {
            if (entry.content().contains("\"kind\":\"certificate.") && isChange(entry.content())) {
                changes.incrementAndGet();
            }
        });
    }

    /// @param url what URLs in certificates begin with
    /// @param lifetime how long a list may be relied on
    /// @param node this node's name
    record Settings(String url, Duration lifetime, String node) {}

    private static boolean isChange(String entry) {
        return !entry.contains("\"kind\":\"certificate.issued\"");
    }

    /// @param asOf how many changes had been seen when it was begun
    /// @param until when the first certificate ends that was superseded, but still counted
    /// @param basis what was known of the authority
    /// @param octets its length
    /// @param cost how long making it took
    private record Made(
            RevocationList list, long asOf, Basis basis, Instant at, Instant until, long octets, Duration cost) {}

    /// What a list says beside single certificates of devices.
    ///
    /// @param stolen since when the authority's key is in wrong hands
    /// @param authorities those that it has signed
    private record Basis(Optional<Instant> stolen, List<Authority.Signed> authorities) {
        /// Writes the authorities that count no more: since when, where only changes are asked for.
        void addTo(RevocationStore.Entries entries, Instant since) {
            for (Authority.Signed signed : authorities) {
                signed.taken()
                        .filter(taken -> taken.at().isAfter(since))
                        .ifPresent(taken -> entries.add(RevocationListFrame.entry(
                                signed.serial(), taken.at(), taken.reason().code())));
            }
        }
    }

    private Basis basis(Authority authority) {
        return new Basis(
                authority.standing() == Authority.Standing.DISTRUSTED ? authority.endedAt() : Optional.empty(),
                authorities.signedBy(authority));
    }

    /// Writes entries one behind another.
    private static final class Collected implements RevocationStore.Entries {
        private final OutputStream out;
        private Instant until = Instant.MAX;

        Collected(OutputStream out) {
            this.out = out;
        }

        @Override
        public void add(byte[] entry) {
            try {
                out.write(entry);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public void until(Instant endsAt) {
            until = endsAt.isBefore(until) ? endsAt : until;
        }
    }

    /// The list, DER; empty when there is none of that name, or no key (any more) to sign it with. May block
    /// for the database.
    public Optional<RevocationList> find(ListName name) {
        Optional<Authority> authority = authorities.find(name.authority());
        if (authority.isEmpty() || !isPart(name.part())) {
            return Optional.empty();
        }
        if (!authorities.canSign(authority.get())) {
            return store.find(name.file())
                    .map(file -> new RevocationList(
                            new RevocationList.Content.InFile(file), "given", Instant.EPOCH, Instant.EPOCH));
        }
        if (made.size() > MOST_KEPT) {
            made.clear();
        }
        Basis basis = basis(authority.get());
        return Optional.of(made.compute(
                        name,
                        (_, before) -> before != null && before.basis().equals(basis) && isGood(before)
                                ? before
                                : make(authority.get(), basis, name))
                .list());
    }

    /// Makes whole lists that are due. Blocks; called now and then.
    void refresh() {
        for (Authority authority : authorities.all()) {
            ListName whole = new ListName(authority.id(), 0, false);
            Made known = made.get(whole);
            if (authorities.canSign(authority)
                    && (known == null || isDue(known) || !known.basis().equals(basis(authority)))) {
                find(whole);
            }
        }
    }

    private boolean isPart(long part) {
        if (part > lastPart) {
            lastPart = database.<Long>read(RevocationStore::lastPart);
        }
        return part <= lastPart;
    }

    /// How often lists are made where nothing else makes them.
    private Duration schedule() {
        return lifetime.dividedBy(4);
    }

    private boolean isDue(Made known) {
        return Duration.between(known.at(), clock.instant()).compareTo(schedule()) > 0;
    }

    private boolean isGood(Made known) {
        if (isDue(known)) {
            return false;
        }
        Instant now = clock.instant();
        boolean asItIs = known.asOf() == changes.get() && now.isBefore(known.until());
        return asItIs
                || known.octets() > LARGE_OCTETS
                || Duration.between(known.at(), now).compareTo(known.cost().multipliedBy(SHARE)) < 0;
    }

    private Made make(Authority authority, Basis basis, ListName name) {
        long begun = System.nanoTime();
        long asOf = changes.get();
        Instant now = clock.instant();
        Instant thisUpdate = now.truncatedTo(ChronoUnit.SECONDS);
        Instant nextUpdate = thisUpdate.plus(name.delta() ? schedule().multipliedBy(2) : lifetime);
        long number = number(now);
        Instant base = base(now);
        RevocationListFrame frame = frame(authority, name, thisUpdate, nextUpdate, number, base);
        Instant endingAfter = now.minus(lifetime);
        RevocationList.Content content;
        long octets;
        Instant[] until = {Instant.MAX};
        if (name.part() == 0 && !name.delta()) {
            Path file = store.write(
                    name.file(),
                    frame,
                    out -> until[0] = database.<Instant>transact(sql -> {
                        Collected collected = new Collected(out);
                        RevocationStore.complete(sql, name, endingAfter, now, basis.stolen(), collected);
                        basis.addTo(collected, Instant.MIN);
                        return collected.until;
                    }),
                    contents -> authorities.signList(authority, contents));
            content = new RevocationList.Content.InFile(file);
            octets = store.size(file);
        } else {
            ByteArrayOutputStream entries = new ByteArrayOutputStream();
            Collected collected = new Collected(entries);
            database.run(sql -> {
                if (name.delta()) {
                    RevocationStore.changed(sql, name, endingAfter, base.minus(MARGIN), now, basis.stolen(), collected);
                } else {
                    RevocationStore.complete(sql, name, endingAfter, now, basis.stolen(), collected);
                }
            });
            if (name.part() == 0) { // authorities' certificates name the list of everything
                basis.addTo(collected, name.delta() ? base.minus(MARGIN) : Instant.MIN);
            }
            until[0] = collected.until;
            byte[] list = frame.list(entries.toByteArray(), contents -> authorities.signList(authority, contents));
            content = new RevocationList.Content.InMemory(list);
            octets = list.length;
        }
        return new Made(
                new RevocationList(content, Long.toHexString(number), thisUpdate, nextUpdate),
                asOf,
                basis,
                now,
                until[0],
                octets,
                Duration.ofNanos(System.nanoTime() - begun));
    }

    private RevocationListFrame frame(
            Authority authority, ListName name, Instant thisUpdate, Instant nextUpdate, long number, Instant base) {
        ListName complete = name.toComplete();
        return new RevocationListFrame(
                authority.certificate().getSubjectX500Principal().getEncoded(),
                Certificates.subjectKeyId(authority.certificate()),
                authorities.scheme(authority),
                thisUpdate,
                nextUpdate,
                new RevocationListFrame.Scope(
                        BigInteger.valueOf(number),
                        name.delta()
                                ? Optional.of(BigInteger.valueOf(base.toEpochMilli() << NODE_BITS))
                                : Optional.empty(),
                        name.part() == 0
                                ? List.of()
                                : urls.stream().map(complete::url).toList(),
                        name.delta() ? List.of() : List.of(name.toDelta().url(urls.getFirst()))));
    }

    /// From when on complete lists can be combined with a delta made now: the beginning of the last whole
    /// turn of the schedule, which every node knows without asking another, and which a restart does not
    /// change.
    private Instant base(Instant now) {
        long turn = Math.max(1, schedule().toMillis());
        return Instant.ofEpochMilli(Math.floorDiv(now.toEpochMilli(), turn) * turn - turn);
    }

    private long number(Instant now) {
        long fresh = (now.toEpochMilli() << NODE_BITS) | node;
        return lastNumber.updateAndGet(last -> Math.max(fresh, last + (1L << NODE_BITS)));
    }

    /// For tests: the list of an authority as a whole, where it is in memory.
    @Nullable
    RevocationList known(ListName name) {
        Made known = made.get(name);
        return known == null ? null : known.list();
    }
}
