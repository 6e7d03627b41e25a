import java.util.Collections;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;

/** Tasks that take time and nothing else, as bench/jobs/sleep.c has them: prints the seconds that they took together. Sleep N MS. */
class Sleep {
    static void run(JavaSparkContext spark, String[] args) {
        int n = Integer.parseInt(args[0]);
        long ms = Long.parseLong(args[1]);
        JavaRDD<Integer> none = spark.parallelize(Collections.<Integer>emptyList(), n);

        long begun = System.nanoTime();
        none.foreachPartition(nothing -> Thread.sleep(ms));
        System.out.println((System.nanoTime() - begun) / 1e9);
    }
}
