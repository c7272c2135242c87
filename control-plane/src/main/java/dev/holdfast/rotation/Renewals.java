package dev.holdfast.rotation;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.commands.Commands;
import dev.holdfast.core.Actor;
import dev.holdfast.core.DeviceRef;
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
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.jooq.DSLContext;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// When each device should renew its certificate, and that it is told.
///
/// The time is fixed when a certificate is issued, spread by `ca.RenewalSchedule`, and told at once by
/// protocols that can (EST's header, ACME's renewal information). Devices on MQTT are told when it comes, as
/// desired state (`certificate: {serial, renewAfter}`), no more of them in an hour than the server can renew. A
/// campaign moves the times of many certificates forward, spread at its own rate.
public final class Renewals implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Renewals.class);
    private static final Actor SELF = new Actor.Holdfast("rotation");
    /// In one change: what cuts a session waits for no more than that.
    private static final int MOST_AT_ONCE = 50;
    /// Certificates that are planned, and locked, at once.
    private static final int PIECE = 1_000;
    /// What a caller waits for: a campaign of some ten thousand is planned when it hears of it.
    private static final int PIECES_AT_ONCE = 20;
    private static final Duration OTHERS_PIECE = Duration.ofMillis(20);
    private static final int MOST_PER_HOUR = 3_600_000;
    /// What was not used of the rate for longer than this is lost: no burst after an outage.
    private static final Duration LONGEST_CREDIT = Duration.ofSeconds(10);

    private final Database database;
    private final Journal journal;
    private final Commands commands;
    private final InstantSource clock;
    private final SecureRandom random;
    private final int perHour;
    private final AtomicBoolean working = new AtomicBoolean();
    private volatile boolean closing;
    private volatile @Nullable Thread worker;

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
    /// Certificates that are due sooner stay as they are, and those issued meanwhile.
    ///
    /// What is decided is journalled when this returns; the times are set piece by piece after it
    /// ([#workDue]), because a million of them take minutes. A small campaign is planned when it returns.
    ///
    /// @param rate devices in an hour, at most what the installation serves
    /// @throws IllegalArgumentException when the rate is not between 1 and 3,600,000
    public Campaign start(Environment environment, Chosen chosen, int rate, String reason, Actor actor) {
        if (rate < 1 || rate > MOST_PER_HOUR) {
            throw new IllegalArgumentException("a campaign's rate is between 1 and 3,600,000 devices in an hour");
        }
        Campaign started = journal.commit(tx -> start(tx, environment, chosen, rate, reason, actor));
        for (int piece = 0; piece < PIECES_AT_ONCE; piece++) {
            if (campaign(environment, started.id()).orElseThrow().plannedAt().isPresent()) {
                break;
            }
            if (!planSome()) {
                LockSupport.parkNanos(OTHERS_PIECE.toNanos()); // the background, or another node, is at it
            }
        }
        return campaign(environment, started.id()).orElseThrow();
    }

    /// As the other, inside a change of another room; planned after it.
    public Campaign start(
            Transaction tx, Environment environment, Chosen chosen, int rate, String reason, Actor actor) {
        byte[] fresh = new byte[8];
        random.nextBytes(fresh);
        String id = HexFormat.of().formatHex(fresh);
        int used = Math.min(rate, perHour);
        Campaign campaign = new Campaign(
                id, environment, reason, actor.toString(), tx.now(), used, 0, 0, 0, Optional.empty(), Optional.empty());
        CampaignStore.insert(tx.sql(), campaign, shuffled(chosen), PIECE);
        tx.record(new Entry(
                "renewal.campaign-started",
                environment,
                "campaign:" + id,
                actor,
                reason,
                Map.of("certificates", chosen.text(), "perHour", used)));
        return campaign;
    }

    /// So that the devices of one place do not all renew in the same minute.
    private Chosen shuffled(Chosen chosen) {
        if (!(chosen instanceof Chosen.OfDevices of)) {
            return chosen;
        }
        List<DeviceRef> devices = new ArrayList<>(of.devices());
        Collections.shuffle(devices, random);
        return new Chosen.OfDevices(devices);
    }

    /// Goes on with what is due, on a thread of its own until there is none left: planning campaigns, clearing
    /// stopped ones, telling devices whose time has come as far as the rate allows. Called every few seconds, on
    /// every node; each piece is done by one of them.
    public void workDue() {
        if (!closing && working.compareAndSet(false, true)) {
            worker = Thread.ofVirtual().name("renewals").start(this::work);
        }
    }

    private void work() {
        try {
            boolean more = true;
            while (more && !closing) {
                boolean planned = planSome();
                boolean cleared = clearSome();
                boolean told = journal.commit(this::tellSome) == MOST_AT_ONCE;
                more = planned || cleared || told;
            }
        } catch (RuntimeException e) {
            LOG.warn("renewals: {}; goes on at the next turn", e.toString());
        } finally {
            working.set(false);
        }
    }

    private boolean clearSome() {
        return database.transact(sql -> CampaignStore.clearSome(sql, PIECE, clock.instant()));
    }

    /// One piece of the oldest campaign that is not planned. A crash after it goes on with the next.
    ///
    /// @return whether there may be more to plan now; not while all that is left is locked by others
    private boolean planSome() {
        Planned piece = database.transact(sql -> CampaignStore.takeUnplanned(sql)
                .map(campaign -> plan(sql, campaign))
                .orElse(Planned.NOTHING));
        piece.finished().ifPresent(id -> {
            if (journal.commit(tx -> finish(tx, id))) {
                LOG.info("campaign {} is planned", id);
            }
        });
        return piece.more();
    }

    /// @param finished the campaign that has no more to plan
    private record Planned(boolean more, Optional<String> finished) {
        static final Planned NOTHING = new Planned(false, Optional.empty());
    }

    private static Planned plan(DSLContext sql, CampaignStore.Unplanned campaign) {
        if (campaign.byDevice()) {
            Optional<Long> part = CampaignStore.planPart(sql, campaign);
            part.ifPresent(some -> CampaignStore.planned(sql, campaign.id(), some, ""));
            return part.isPresent()
                    ? new Planned(part.get() > 0, Optional.empty())
                    : new Planned(true, Optional.of(campaign.id()));
        }
        CampaignStore.Piece piece = CampaignStore.planNext(sql, campaign, PIECE);
        CampaignStore.planned(sql, campaign.id(), piece.planned(), piece.last().orElse(""));
        boolean over = piece.last().isEmpty() && !CampaignStore.anyLeft(sql, campaign);
        boolean moved = piece.planned() > 0 || piece.last().isPresent();
        return new Planned(moved || over, over ? Optional.of(campaign.id()) : Optional.empty());
    }

    private boolean finish(Transaction tx, String id) {
        if (!CampaignStore.finishPlanning(tx.sql(), id, tx.now())) {
            return false;
        }
        Campaign planned = CampaignStore.find(tx.sql(), id, tx.now());
        tx.record(new Entry(
                "renewal.campaign-planned",
                planned.environment(),
                "campaign:" + id,
                SELF,
                planned.reason(),
                Map.of(
                        "certificates",
                        planned.total(),
                        "toldBy",
                        planned.toldBy().toString())));
        return true;
    }

    /// No more devices are told for this campaign; those that were told renew all the same.
    ///
    /// @return false when there is no such campaign that runs
    public boolean stop(Environment environment, String id, String reason, Actor actor) {
        boolean wasRunning = journal.commit(tx -> {
            if (!CampaignStore.stop(tx.sql(), environment, id, tx.now())) {
                return false;
            }
            tx.record(new Entry("renewal.campaign-stopped", environment, "campaign:" + id, actor, reason, Map.of()));
            return true;
        });
        boolean more = wasRunning;
        for (int piece = 0; more && piece < PIECES_AT_ONCE; piece++) {
            more = clearSome();
        }
        return wasRunning;
    }

    public Optional<Campaign> campaign(Environment environment, String id) {
        return database.read(sql -> CampaignStore.find(sql, environment, id, clock.instant()));
    }

    /// Newest first.
    public List<Campaign> campaigns(Environment environment, int limit) {
        return database.read(sql -> CampaignStore.list(sql, environment, clock.instant(), limit));
    }

    /// Tells some devices whose time has come, as many as the rate allows.
    ///
    /// @return how many
    private int tellSome(Transaction tx) {
        Optional<Instant> usedUpTo = RenewalStore.takeTurn(tx.sql(), tx.now(), LONGEST_CREDIT);
        if (usedUpTo.isEmpty()) {
            return 0;
        }
        long credit = Duration.between(usedUpTo.get(), tx.now()).toMillis();
        int allowed = (int) Math.min(MOST_AT_ONCE, credit * perHour / 3_600_000);
        if (allowed < 1) {
            return 0;
        }
        List<RenewalStore.Due> due = RenewalStore.due(tx.sql(), tx.now(), allowed);
        // Of the rate only what was used, unless nobody is left to be told.
        RenewalStore.turnTaken(
                tx.sql(),
                due.size() < allowed ? tx.now() : usedUpTo.get().plusNanos(Math.round(due.size() * 3.6e12 / perHour)));
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

    /// The piece that is being done is finished; the others are, after the next start.
    @Override
    public void close() {
        closing = true;
        Thread last = worker;
        try {
            if (last != null) {
                last.join(Duration.ofSeconds(5));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
