package dev.holdfast.buildchecks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Each rule is shown code that breaks it: a rule that finds nothing is worth nothing.
class RulesTest {
    private static final JavaClasses CITY = new ClassFileImporter().importPackages("sample.city");
    private static final Rooms ROOMS = new Rooms(CITY, "sample.city", Map.of("ground", Set.of()));

    private static Diagram drawn(String... arrows) {
        return Diagram.parse("# x\n```mermaid\ngraph TD\n" + String.join("\n", arrows) + "\n```\n");
    }

    @Test
    void readsTheArrowsOfTheGraph() {
        assertThat(drawn("  north --> south", "%% a remark", "", "south-->east").arrows())
                .containsExactlyInAnyOrder(new Arrow("north", "south"), new Arrow("south", "east"));
    }

    @Test
    void refusesAGraphItDoesNotUnderstand() {
        assertThatThrownBy(() -> drawn("north ==> south")).hasMessageContaining("north ==> south");
        assertThatThrownBy(() -> drawn("a --> b", "a --> b")).hasMessageContaining("drawn twice");
        assertThatThrownBy(() -> Diagram.parse("# no graph")).hasMessageContaining("no mermaid graph");
    }

    @Test
    void findsAnArrowThatIsNotDrawn() {
        assertThat(ROOMS.notDrawn(drawn("north --> east")))
                .singleElement()
                .asString()
                .startsWith("in the code but not drawn: north --> south");
        assertThat(ROOMS.notDrawn(drawn("north --> south"))).isEmpty();
    }

    @Test
    void findsADrawnArrowThatTheCodeDoesNotHave() {
        assertThat(ROOMS.unused(drawn("north --> south", "south --> north")))
                .containsExactly("drawn but not in the code: south --> north");
    }

    @Test
    void findsACircle() {
        assertThat(Diagram.circle(
                        drawn("a --> b", "b --> c", "c --> b", "a --> d").arrows()))
                .containsExactly("b", "c", "b");
        assertThat(Diagram.circle(
                        drawn("a --> b", "a --> c", "b --> d", "c --> d").arrows()))
                .isEmpty();
    }

    @Test
    void findsAGroundRoomThatUsesARoomItMayNot() {
        Rooms wrong = new Rooms(CITY, "sample.city", Map.of("north", Set.of("ground")));
        assertThat(wrong.groundFaults())
                .singleElement()
                .asString()
                .startsWith("north may use only [ground], not south");
        assertThat(ROOMS.groundFaults()).isEmpty();
    }

    @Test
    void findsARoomWithinARoom() {
        assertThat(ROOMS.shapeFaults()).containsExactly("a room is one flat package: sample.city.north.deep");
    }

    @Test
    void findsEmptyNamesAndUnmarkedPackages() {
        assertThat(HouseRules.names(CITY))
                .singleElement()
                .asString()
                .contains("'Manager'", "sample.city.south.WaterManager");
        assertThat(HouseRules.notNullMarked(CITY)).hasSize(4);
    }

    @Test
    void findsWritingOutsideAStoreAlsoInALambda() {
        assertThat(Reach.outside(CITY, Reach::isNamedForTheOutside))
                .singleElement()
                .asString()
                .contains("WaterManager touches the outside world: Files.writeString");
    }

    @Test
    void findsTheClockAndRandomness() {
        assertThat(Reach.clockAndChance(CITY, one -> false))
                .hasSize(2)
                .anySatisfy(fault -> assertThat(fault).contains("Instant.now"))
                .anySatisfy(fault -> assertThat(fault).contains("Random.<init>"));
        assertThat(Reach.clockAndChance(CITY, one -> one.getSimpleName().equals("Well")))
                .isEmpty();
    }

    @Test
    void findsALongFile(@TempDir Path folder) throws Exception {
        Files.writeString(folder.resolve("Long.java"), "//\n".repeat(601));
        Files.writeString(folder.resolve("Short.java"), "//\n".repeat(600));
        assertThat(HouseRules.tooLong(folder)).containsExactly("Long.java has 601 lines, more than 600");
    }

    @Test
    void thisModuleKeepsTheRulesOfTheHouse() {
        assertThat(HouseRules.faultsOf(Path.of(""))).isEmpty();
    }
}
