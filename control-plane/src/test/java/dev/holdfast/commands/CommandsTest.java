package dev.holdfast.commands;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.core.Actor;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Json;
import dev.holdfast.database.Database;
import dev.holdfast.database.TestDatabase;
import dev.holdfast.journal.Journal;
import dev.holdfast.testkit.FakeClock;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class CommandsTest {
    private static final DeviceRef METER = DeviceRef.of("development", "m-1");
    private static final Actor OPERATOR = new Actor.Operator("ab12");
    private Database database;
    private Journal journal;
    private Commands commands;

    @BeforeEach
    void open() {
        database = TestDatabase.fresh();
        FakeClock clock = FakeClock.atStart();
        journal = Journal.open(database, clock);
        commands = new Commands(database, journal, clock);
    }

    @AfterEach
    void close() {
        journal.close();
        database.close();
    }

    private static ObjectNode state(String key, int value) {
        return Json.mapper().createObjectNode().put(key, value);
    }

    @Test
    void whatDevicesSaidWaitsForNoChangeThatHoldsTheirRows() throws Exception {
        DeviceRef other = DeviceRef.of("development", "m-2");
        commands.desire(METER, state("interval", 60), "set up", OPERATOR);
        commands.desire(other, state("interval", 60), "set up", OPERATOR);
        commands.delivered(METER, 1);
        commands.delivered(other, 1);
        try (var change = database.connection()) {
            change.setAutoCommit(false);
            change.createStatement()
                    .executeQuery("select 1 from desired_state where device = 'm-1' for update")
                    .close();
            commands.flush();
            assertThat(commands.desired(other).orElseThrow().delivered()).isEqualTo(1);
            change.rollback();
        }
        assertThat(commands.desired(METER).orElseThrow().delivered()).isZero();
        commands.flush();
        assertThat(commands.desired(METER).orElseThrow().delivered()).isEqualTo(1);
    }

    @Test
    void everyChangeGetsTheNextRevisionAndIsJournalledAndToldOnce() throws Exception {
        LinkedBlockingQueue<DeviceRef> told = new LinkedBlockingQueue<>();
        commands.onChange(told::add);
        journal.startTail();
        assertThat(commands.desired(METER)).isEmpty();
        assertThat(commands.desire(METER, state("interval", 60), "set up", OPERATOR)
                        .revision())
                .isEqualTo(1);
        assertThat(commands.desire(METER, state("interval", 60), "again", OPERATOR)
                        .revision())
                .as("nothing changed")
                .isEqualTo(1);
        assertThat(commands.desire(METER, state("interval", 30), "faster", OPERATOR)
                        .revision())
                .isEqualTo(2);
        assertThat(told.poll(10, TimeUnit.SECONDS)).isEqualTo(METER);
        assertThat(told.poll(10, TimeUnit.SECONDS)).isEqualTo(METER);
        assertThat(journal.head().number()).isEqualTo(2);
        assertThat(commands.desired(METER).orElseThrow().reason()).isEqualTo("faster");
    }

    @Test
    void roomsChangeTheirOwnKeysOnly() {
        commands.desire(METER, state("interval", 60), "operator", OPERATOR);
        Desired after = commands.change(METER, old -> old.put("isolated", 1), "segmentation", OPERATOR);
        assertThat(after.state().path("interval").asInt()).isEqualTo(60);
        assertThat(after.state().path("isolated").asInt()).isEqualTo(1);
    }

    @Test
    void whatADeviceAcknowledgesNeverGoesBackNorPastWhatWasDesired() {
        commands.desire(METER, state("a", 1), "one", OPERATOR);
        commands.desire(METER, state("a", 2), "two", OPERATOR);
        commands.applied(METER, 99);
        commands.flush();
        assertThat(commands.desired(METER).orElseThrow().applied()).isZero();
        commands.applied(METER, 2);
        commands.delivered(METER, 2);
        commands.flush();
        commands.applied(METER, 1);
        commands.flush();
        assertThat(commands.desired(METER).orElseThrow().applied()).isEqualTo(2);
        assertThat(commands.desired(METER).orElseThrow().delivered()).isEqualTo(2);
    }

    @Test
    void aStateThatNoDeviceCouldHoldIsRefused() {
        ObjectNode large = Json.mapper().createObjectNode().put("x", "y".repeat(40_000));
        assertThatThrownBy(() -> commands.desire(METER, large, "large", OPERATOR))
                .isInstanceOf(IllegalArgumentException.class);
        assertThat(commands.desired(METER)).isEmpty();
    }
}
