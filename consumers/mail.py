"""Mail: SMTP, blind. Whether a server took a message whose receipt it did not confirm, nobody can find out."""

from __future__ import annotations

from consumers.connectors.smtp import Mail, SmtpClient, SmtpTimeouts
from consumers.system import Call, System, SystemConfig
from schemas.models import ApologyEmailSent, SendApologyEmail, SendWelcomeEmail, WelcomeEmailSent

__all__ = ["build"]

# To be told "unknown" by the clock costs a person's time, so a slow server gets longer than the others.
_SECONDS = 20.0

_WELCOME = """\
Dear {name},

welcome. Your account on our supplier portal is ready; sign in at
{url}

Kind regards
"""
_APOLOGY = """\
Dear {name},

we wrote to you that your account on our supplier portal is ready. We could not complete your registration, and the
account is closed again. Please take our earlier mail as void, and accept our apologies.

Kind regards
"""


def build(config: SystemConfig) -> System:
    """The mail server at `config.base_url`; options `sender`, `user` and `password`."""
    smtp = SmtpClient(
        config.base_url,
        sender=config.options.get("sender", "suppliers@buyer.example"),
        timeouts=SmtpTimeouts(connect=2, reply=10),
        user=config.options.get("user"),
        password=config.options.get("password", ""),
        connections=16,
    )
    mail = System("mail", concurrency=16, lifespan=lambda: smtp, gate=smtp.guard.wait)

    def tags(action: str, call: Call) -> dict[str, str]:
        return {"Tag": action, "Reference": str(call.saga_id)}

    @mail.action(SendWelcomeEmail, timeout=_SECONDS)
    async def send_welcome_email(command: SendWelcomeEmail, call: Call) -> WelcomeEmailSent:
        welcome = Mail(
            recipient=command.recipient,
            recipient_name=command.recipient_name,
            subject="Welcome to our supplier portal",
            text=_WELCOME.format(name=command.recipient_name, url=command.login_url),
            tags=tags("send_welcome_email", call),
        )
        return WelcomeEmailSent(message_id=await smtp.send(welcome, call=call))

    @mail.action(SendApologyEmail, timeout=_SECONDS)
    async def send_apology_email(command: SendApologyEmail, call: Call) -> ApologyEmailSent:
        apology = Mail(
            recipient=command.recipient,
            recipient_name=command.recipient_name,
            subject="Your registration could not be completed",
            text=_APOLOGY.format(name=command.recipient_name),
            in_reply_to=command.in_reply_to,
            tags=tags("send_apology_email", call),
        )
        return ApologyEmailSent(message_id=await smtp.send(apology, call=call))

    return mail
