package dev.holdfast.bench;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.buildchecks.HouseRules;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class HouseRulesTest {
    @Test
    void namesNullSafetyAndLengthAreAsInEveryModule() {
        assertThat(HouseRules.faultsOf(Path.of("").toAbsolutePath())).isEmpty();
    }
}
