"""Spark's side: bench/spark on Spark's local modes."""
import os
import shutil
import subprocess

from measuring.run import ROOT, Run


def jar(o, tmp):
    """bench/spark compiled; None without Spark."""
    if o.spark is None:
        return None
    made = tmp / "spark.jar"
    if not made.exists():
        subprocess.run(["javac", "-cp", o.spark / "jars/*", "-d", tmp / "classes",
                        *sorted((ROOT / "bench/spark").glob("*.java"))], check=True)
        subprocess.run(["jar", "cf", made, "-C", tmp / "classes", "."], check=True)
    return made


def submit(o, tmp, name, *args, master=None):
    return Run(o.spark / "bin/spark-submit", "--master", master or f"local[{o.slots}]", "--driver-memory", "4g", "--conf",
               "spark.ui.enabled=false", "--conf", "spark.log.level=WARN", "--class", name, jar(o, tmp), *args,
               env=dict(os.environ, SPARK_HOME=str(o.spark)))


def null_tasks(o, tmp):
    """Executors in processes of their own; the rate is Spark's own, once it is warm."""
    run = submit(o, tmp, "NullTasks", o.tasks or 20000, master=f"local-cluster[1,{o.slots},1024]")
    run.rate = float(run.out.split()[-1])
    return run


def word_count(o, tmp, text):
    shutil.rmtree(tmp / "spark-out", ignore_errors=True)
    return submit(o, tmp, "WordCount", text, tmp / "spark-out")
