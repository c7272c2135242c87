package dev.holdfast.rollout;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.database.Database;
import dev.holdfast.database.EmbeddedPostgresStore;
import dev.holdfast.database.TestDatabase;
import dev.holdfast.journal.Journal;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.InstantSource;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/// kill -9 of a server in the middle of rollouts, and of its database.
///
/// 20 kills, 200 with `-Dholdfast.long=true`.
class CrashTest {
    private static final int KILLS = Boolean.getBoolean("holdfast.long") ? 200 : 20;

    @Test
    void afterAnyKillTheRecordIsWholeAndNothingAcknowledgedIsLost() throws Exception {
        long seed = System.nanoTime();
        System.out.println("seed " + seed);
        Random random = new Random(seed);
        Path folder = Files.createTempDirectory("holdfast-crash");
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx--x--x"));
        int databaseKills = 0;
        int acknowledged = 0;
        try (EmbeddedPostgresStore postgres =
                EmbeddedPostgresStore.start(folder.resolve("postgres"), TestDatabase.binaries(), "test-only")) {
            CrashChild.prepare(postgres.address(), folder.resolve("artifacts"), 40);
            for (int kill = 0; kill < KILLS; kill++) {
                ConcurrentLinkedQueue<Long> acks = new ConcurrentLinkedQueue<>();
                Process child = child(postgres.address(), folder.resolve("artifacts"), random.nextLong());
                Thread reader = Thread.ofVirtual().start(() -> read(child, acks));
                awaitWork(child, acks);
                TimeUnit.MILLISECONDS.sleep(random.nextInt(1_000));
                if (kill % 5 == 4) {
                    killDatabase(folder);
                    databaseKills++;
                    TimeUnit.MILLISECONDS.sleep(random.nextInt(500));
                }
                child.destroyForcibly();
                assertThat(child.waitFor(20, TimeUnit.SECONDS)).isTrue();
                reader.join();
                acknowledged += acks.size();
                check(postgres, List.copyOf(acks));
            }
            System.out.printf(
                    "%d kills of the server, %d of the database, %d acknowledged answers, 0 lost%n",
                    KILLS, databaseKills, acknowledged);
            assertThat(acknowledged).isPositive();
        } finally {
            new ProcessBuilder("rm", "-rf", folder.toString()).start().waitFor();
        }
    }

    private static Process child(Database.Address address, Path artifacts, long seed) throws IOException {
        return new ProcessBuilder(
                        ProcessHandle.current().info().command().orElseThrow(),
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "-Xmx256m",
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        System.getProperty("java.class.path"),
                        CrashChild.class.getName(),
                        address.url(),
                        address.user(),
                        address.password(),
                        artifacts.toString(),
                        Long.toString(seed))
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
    }

    private static void read(Process child, ConcurrentLinkedQueue<Long> acks) {
        try (BufferedReader lines =
                new BufferedReader(new InputStreamReader(child.getInputStream(), StandardCharsets.UTF_8))) {
            for (String line; (line = lines.readLine()) != null; ) {
                if (line.startsWith("ack ")) {
                    acks.add(Long.parseLong(line.substring(4)));
                }
            }
        } catch (IOException killed) {
            // What was read before counts.
        }
    }

    private static void awaitWork(Process child, ConcurrentLinkedQueue<Long> acks) throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (acks.isEmpty()) {
            assertThat(child.isAlive()).as("the child works").isTrue();
            assertThat(System.nanoTime()).as("the child works").isLessThan(deadline);
            TimeUnit.MILLISECONDS.sleep(5);
        }
    }

    private static void killDatabase(Path folder) throws IOException {
        String pid = Files.readAllLines(folder.resolve("postgres/cluster/postmaster.pid"))
                .getFirst();
        ProcessHandle.of(Long.parseLong(pid.strip())).ifPresent(ProcessHandle::destroyForcibly);
    }

    private static void check(EmbeddedPostgresStore postgres, List<Long> acks) throws InterruptedException {
        try (Database database = awaitDatabase(postgres);
                Journal journal = Journal.open(database, InstantSource.system())) {
            assertThat(journal.verify()).isEmpty();
            for (long action : acks) {
                assertThat(MemberStoreProbe.feedback(database, action))
                        .as("action " + action)
                        .isPositive();
            }
            assertThat(MemberStoreProbe.faults(database)).isEmpty();
        }
    }

    private static Database awaitDatabase(EmbeddedPostgresStore postgres) throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (true) {
            try {
                return Database.open(postgres.address(), 4);
            } catch (RuntimeException away) {
                if (System.nanoTime() > deadline) {
                    throw away;
                }
                TimeUnit.MILLISECONDS.sleep(100);
            }
        }
    }

    /// Reads the tables behind the room's back.
    private static final class MemberStoreProbe {
        private MemberStoreProbe() {}

        static int feedback(Database database, long action) {
            return database.<Integer>read(
                    sql -> sql.fetchSingle("select count(*) from rollout_feedback where action = ?", action)
                            .get(0, Integer.class));
        }

        /// Everything that must hold after a crash, as rows that break it.
        static List<String> faults(Database database) {
            return database.read(sql -> sql.fetch("""
                            select 'undecided of rollout ' || r.id || ' is ' || r.undecided || ', counted ' || n
                              from rollout r, lateral (select count(*) n from rollout_device d where d.rollout = r.id
                                and d.state in ('offered','downloading','downloaded','installed')) c
                             where r.undecided <> n or n > r.cap
                            union all
                            select 'batch ' || b.number || ' of ' || b.rollout || ' miscounts'
                              from rollout_batch b, lateral (select
                                count(*) filter (where state = 'pending') pending,
                                count(*) filter (where state in ('offered','downloading','downloaded','installed')) u,
                                count(*) filter (where state = 'healthy') healthy,
                                count(*) filter (where state = 'failed') failed,
                                count(exposed_at) exposed
                                from rollout_device d where d.rollout = b.rollout and d.batch = b.number) c
                             where (b.pending, b.undecided, b.healthy, b.failed, b.exposed)
                                is distinct from (c.pending::int, c.u::int, c.healthy::int, c.failed::int, c.exposed::int)
                            union all
                            select 'rollout ' || r.id || ' stopped without its way back'
                              from rollout r where r.state = 'stopped' and r.previous is not null
                               and not exists (select from rollout w where w.parent = r.id)
                            union all
                            select 'rollout ' || r.id || ' stopped, its release is not halted'
                              from rollout r join firmware_release f on f.id = r.release
                             where r.state = 'stopped' and f.state <> 'halted'
                            union all
                            select 'rollout ' || r.id || ' stopped with a device undecided' from rollout r
                              join rollout_device d on d.rollout = r.id
                             where r.state in ('stopped','aborted')
                               and d.state in ('offered','downloading','downloaded','installed')
                            union all
                            select 'device ' || d.device || ' was exposed to ' || r.id || ' and is not in the way back'
                              from rollout r join rollout w on w.parent = r.id
                              join rollout_device d on d.rollout = r.id and d.exposed_at is not null
                             where not exists (select from rollout_device x
                                                where x.rollout = w.id and x.device = d.device)
                            union all
                            select 'granted but not journalled: ' || d.device from rollout_device d
                             where d.granted_at is not null and not exists (select from journal_entry j
                                where j.kind = 'rollout.device-offered' and j.subject = 'device:' || d.device
                                  and (j.content::jsonb -> 'body' ->> 'action')::bigint = d.action)
                            """).map(row -> row.get(0, String.class)));
        }
    }
}
