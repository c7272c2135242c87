package sample.city.north;

import sample.city.ground.Word;
import sample.city.south.Well;

public final class Gate {
    private Gate() {}

    public static Word open() {
        return Well.draw();
    }
}
