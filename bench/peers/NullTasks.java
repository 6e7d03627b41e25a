import java.util.Collections;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;

/** Tasks that do nothing: prints how many a second, once Spark is warm. NullTasks N. */
class NullTasks {
    static void run(JavaSparkContext spark, String[] args) {
        int n = Integer.parseInt(args[0]);
        JavaRDD<Integer> none = spark.parallelize(Collections.<Integer>emptyList(), n);

        none.foreachPartition(nothing -> { });
        long begun = System.nanoTime();
        none.foreachPartition(nothing -> { });
        System.out.println(n / ((System.nanoTime() - begun) / 1e9));
    }
}
