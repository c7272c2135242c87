package dev.holdfast.rotation;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.commands.Commands;
import dev.holdfast.core.Actor;
import dev.holdfast.core.Environment;
import dev.holdfast.core.Serial;
import dev.holdfast.database.Database;
import dev.holdfast.journal.Entry;
import dev.holdfast.journal.Journal;
import dev.holdfast.journal.Transaction;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// When each device should renew its certificate, and that it is told.
///
/// The time is fixed when a certificate is issued, spread by `ca.RenewalSchedule`, and told at once by
/// protocols that can (EST's header, ACME's renewal information). Devices on MQTT are told when it comes, as
/// desired state (`certificate: {serial, renewAfter}`), no more of them in an hour than the server can renew. A
/// campaign moves the times of many certificates forward, spread at its own rate.
public final class Renewals {
    private static final Logger LOG = LoggerFactory.getLogger(Renewals.class);
    private static final Actor SELF = new Actor.Holdfast("rotation");
    private static final int MOST_AT_ONCE = 200;
    private static final int MOST_PER_HOUR = 3_600_000;
    /// What was not used of the rate for longer than this is lost: no burst after an outage.
    private static final Duration LONGEST_CREDIT = Duration.ofSeconds(10);

    private final Database database;
    private final Journal journal;
    private final Commands commands;
    private final InstantSource clock;
    private final SecureRandom random;
    private final int perHour;

    /// @param perHour at most so many devices are told in an hour, over all nodes
    public Renewals(
            Database database,
            Journal journal,
            Commands commands,
            InstantSource clock,
            SecureRandom random,
            int perHour) {
        this.database = database;
        this.journal = journal;
        this.commands = commands;
        this.clock = clock;
        this.random = random;
        this.perHour = perHour;
    }

    /// How many renewals in an hour this installation means to serve.
    public int capacityPerHour() {
        return perHour;
    }

    /// When the device should ask for the successor of this certificate; empty for one that does not count any
    /// more.
    public Optional<Instant> renewAt(Serial certificate) {
        return database.read(sql -> RenewalStore.renewAt(sql, certificate));
    }

    /// Moves the renewal of these certificates forward: the first now, the last when the rate allows.
    /// Certificates that are due sooner stay as they are.
    ///
    /// @param rate devices in an hour, at most what the installation serves
    /// @throws IllegalArgumentException when the rate is not between 1 and 3,600,000
    public Campaign start(Environment environment, Chosen chosen, int rate, String reason, Actor actor) {
        if (rate < 1 || rate > MOST_PER_HOUR) {
            throw new IllegalArgumentException("a campaign's rate is between 1 and 3,600,000 devices in an hour");
        }
        return journal.commit(tx -> start(tx, environment, chosen, rate, reason, actor));
    }

    /// As the other, inside a change of another room.
    public Campaign start(
            Transaction tx, Environment environment, Chosen chosen, int rate, String reason, Actor actor) {
        byte[] fresh = new byte[8];
        random.nextBytes(fresh);
        String id = HexFormat.of().formatHex(fresh);
        int used = Math.min(rate, perHour);
        long total = RenewalStore.bringForward(tx.sql(), id, environment, chosen, tx.now(), used);
        Campaign campaign =
                new Campaign(id, environment, reason, actor.toString(), tx.now(), used, total, 0, 0, Optional.empty());
        RenewalStore.insert(tx.sql(), campaign);
        tx.record(new Entry(
                "renewal.campaign-started",
                environment,
                "campaign:" + id,
                actor,
                reason,
                Map.of(
                        "certificates",
                        total,
                        "perHour",
                        used,
                        "toldBy",
                        campaign.toldBy().toString())));
        return campaign;
    }

    /// No more devices are told for this campaign; those that were told renew all the same.
    ///
    /// @return false when there is no such campaign that runs
    public boolean stop(Environment environment, String id, String reason, Actor actor) {
        return journal.commit(tx -> {
            if (!RenewalStore.stop(tx.sql(), environment, id, tx.now())) {
                return false;
            }
            tx.record(new Entry("renewal.campaign-stopped", environment, "campaign:" + id, actor, reason, Map.of()));
            return true;
        });
    }

    public Optional<Campaign> campaign(Environment environment, String id) {
        return database.read(sql -> RenewalStore.campaign(sql, environment, id, clock.instant()));
    }

    /// Newest first.
    public List<Campaign> campaigns(Environment environment, int limit) {
        return database.read(sql -> RenewalStore.campaigns(sql, environment, clock.instant(), limit));
    }

    /// Tells the devices whose time has come, as many as the rate allows; called every few seconds, on every
    /// node: one of them does it at a time.
    public void tellDue() {
        int told;
        do {
            told = journal.commit(this::tellSome);
        } while (told == MOST_AT_ONCE);
    }

    private int tellSome(Transaction tx) {
        Optional<Duration> since = RenewalStore.takeTurn(tx.sql(), tx.now(), LONGEST_CREDIT);
        if (since.isEmpty()) {
            return 0;
        }
        int allowed = (int) Math.min(MOST_AT_ONCE, since.get().toMillis() * perHour / 3_600_000);
        if (allowed < 1) {
            return 0;
        }
        List<RenewalStore.Due> due = RenewalStore.due(tx.sql(), tx.now(), allowed);
        RenewalStore.turnTaken(tx.sql(), tx.now());
        for (RenewalStore.Due one : due) {
            commands.change(
                    tx,
                    one.device(),
                    state -> {
                        ObjectNode wanted = state.putObject("certificate");
                        wanted.put("serial", one.certificate().hex());
                        wanted.put("renewAfter", one.renewAt().toString());
                        return state;
                    },
                    "it is time to renew certificate " + one.certificate(),
                    SELF);
        }
        RenewalStore.told(tx.sql(), due, tx.now());
        if (!due.isEmpty()) {
            LOG.debug("told {} devices to renew", due.size());
        }
        return due.size();
    }
}
