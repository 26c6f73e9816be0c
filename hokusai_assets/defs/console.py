"""The console logger of the jobs: level from PIPELINE_LOG_LEVEL, read when a run starts."""

import logging

import dagster as dg

from hokusai_assets.settings import Settings


@dg.logger(
    config_schema={
        "log_level": dg.Field(
            str, default_value="", description="Empty: PIPELINE_LOG_LEVEL, which is INFO if unset."
        )
    },
    description="One line an event on standard error.",
)
def console_logger(init_context: dg.InitLoggerContext) -> logging.Logger:
    """A logger of its own a run, so that two runs in one process do not log twice."""
    level = init_context.logger_config["log_level"] or Settings.from_environment().log_level
    logger = logging.Logger("hokusai_assets.console", level)
    handler = logging.StreamHandler()
    handler.setFormatter(
        logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%d %H:%M:%S")
    )
    logger.addHandler(handler)
    return logger
